"""Judging one person by a filter in Python: what tests hold PostgreSQL against, which alone judges in production."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.domain.audience.audience import Comparison, Condition, Filter, Group, Moment, Not, Quantifier
from app.domain.audience.audience_fields import BY_SIZE, IN_TIME, Field, Operator, Properties
from app.domain.audience.audience_operands import SIZES, Present, exact
from app.domain.scores.segment import DATE_SHAPE

NEVER_ASKED: Mapping[str, Any] = MappingProxyType({"asked_count": 0, "answer_count": 0, "is_listed": False})


@dataclass(frozen=True, slots=True)
class Person:
    """What filters may ask about one person. What is not there is None, or not in its mapping.

    `fields`: by the names of PERSON and ACCOUNT. `history`: by campaign, None for all of them together, then by the
    names of HISTORY and IN_ONE_CAMPAIGN.
    """

    fields: Mapping[str, Any]
    properties: Mapping[str, Any]
    account_properties: Mapping[str, Any]
    history: Mapping[UUID | None, Mapping[str, Any]]


def matches(filter_: Filter, person: Person, present: Present) -> bool:
    match filter_:
        case Group(Quantifier.ALL, members):
            return all(matches(member, person, present) for member in members)
        case Group(Quantifier.ANY, members):
            return any(matches(member, person, present) for member in members)
        case Not(member):
            return not matches(member, person, present)
        case Condition(field, comparisons):
            value = _value_of(field, person)
            return all(_holds(comparison, value, present) for comparison in comparisons)
    raise AssertionError(filter_)


def _value_of(field: Field, person: Person) -> Any:
    match field.name:
        case Properties.OF_RECIPIENT:
            return person.properties.get(field.key or "")
        case Properties.OF_ACCOUNT:
            return person.account_properties.get(field.key or "")
    if field.is_history:
        return person.history.get(field.campaign_id, NEVER_ASKED).get(field.name)
    return person.fields.get(field.name)


def _holds(comparison: Comparison, value: Any, present: Present) -> bool:
    asked, operand = comparison.operator, comparison.operand
    if asked in BY_SIZE:
        return _is_number(value) and bool(SIZES[asked](exact(value), exact(operand)))
    if asked in IN_TIME:
        return _is_in_time(asked, value, operand, present)
    match asked:
        case Operator.EXISTS:
            return (value is not None) is operand
        case Operator.EQ:
            return _equal(value, operand)
        case Operator.NE:
            return not _equal(value, operand)
        case Operator.IN:
            return any(_equal(value, one) for one in operand)
        case Operator.CONTAINS:
            return isinstance(value, str) and operand in value
        case _:
            return isinstance(value, str) and value.startswith(operand)


def _is_in_time(asked: Operator, value: Any, moment: Moment, present: Present) -> bool:
    """Of a property, the day that it begins with is compared, as it is written."""
    if isinstance(value, datetime):
        return bool(SIZES[asked](value, present.instant(moment)))
    if isinstance(value, date):
        return bool(SIZES[asked](value, present.day(moment)))
    is_day = isinstance(value, str) and DATE_SHAPE.fullmatch(value) is not None
    return is_day and bool(SIZES[asked](value[:10], present.day(moment).isoformat()))


def _equal(value: Any, operand: Any) -> bool:
    """As JSON: 1 and 1.0 are equal, 1 and true are not, nor "1"."""
    if _is_number(value) and _is_number(operand):
        return exact(value) == exact(operand)
    both = (value, operand)
    return any(all(isinstance(one, kind) for one in both) for kind in (str, bool)) and bool(value == operand)


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
