"""Judging one person in Python. PostgreSQL judges all of them alike (`queries/audiences.py`); a test compares both."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.audience.audience import Comparison, Condition, Filter, Group, Moment, Not, Person, Quantifier, Relative
from app.domain.audience.audience_fields import BY_SIZE, IN_TIME, Field, Operator, Properties
from app.domain.scores.period import day_begins_at, day_of
from app.domain.scores.segment import DATE_SHAPE

SIZES: Mapping[Operator, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        Operator.LT: operator.lt,
        Operator.LTE: operator.le,
        Operator.GT: operator.gt,
        Operator.GTE: operator.ge,
        Operator.SINCE: operator.ge,
        Operator.BEFORE: operator.lt,
    }
)
NEVER_ASKED: Mapping[str, Any] = MappingProxyType({"asked_count": 0, "answer_count": 0, "is_listed": False})


@dataclass(frozen=True, slots=True)
class Present:
    """The moment that filters are judged at, and the workspace's zone, by which days begin."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return day_of(self.now, self.zone)

    def day(self, moment: Moment) -> date:
        match moment:
            case Relative(days=days):
                return self.today + timedelta(days=days)
            case datetime():
                return day_of(moment, self.zone)
            case day:
                return day

    def instant(self, moment: Moment) -> datetime:
        match moment:
            case Relative(days=days):
                return self.now.astimezone(UTC) + timedelta(days=days)
            case datetime():
                return moment
            case day:
                return day_begins_at(day, self.zone)


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


def exact(value: float | Decimal) -> Decimal:
    """The number that was written, not the nearest binary fraction."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
