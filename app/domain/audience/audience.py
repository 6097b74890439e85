"""Whom a filter fits: JSON, read once into something that SQL can judge by.

    {"all": [filter, …]}    every one of them
    {"any": [filter, …]}    at least one
    {"not": filter}         exactly when that one does not
    {"field": "properties.plan", "in": ["pro", "team"]}
    {"field": "account.renews_on", "since": {"days": 0}, "before": {"days": 60}}
    {"field": "last_score", "campaign_id": "camp_…", "lte": 6}

A condition is true or false, never unknown. Where there is no value, or one of another type than is asked for, only
`ne` and `"exists": false` are true; `ne` is the exact opposite of `eq`, and `not` of what it holds.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.audience.audience_fields import Field, Operator
from app.domain.errors import RuleViolation


class FilterInvalid(RuleViolation):
    """The filter cannot be understood."""

    code = "filter_invalid"


class FilterTooSlow(RuleViolation):
    """The filter takes too long.

    Conditions on history are the slow ones: they look at everything a person was asked and answered. Ask for a smaller
    audience by properties first, or of one campaign.
    """

    code = "filter_too_slow"


class Quantifier(StrEnum):
    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Relative:
    """Days from now, or from today where days are compared; negative: ago."""

    days: int


Moment = Relative | date | datetime  # a day of the workspace's calendar, or an aware instant


@dataclass(frozen=True, slots=True)
class Comparison:
    """The operand is a Moment for `since` and `before`, a tuple for `in`, else a bool, a number or text."""

    operator: Operator
    operand: Any


@dataclass(frozen=True, slots=True)
class Condition:
    """All of the comparisons hold."""

    field: Field
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Group:
    quantifier: Quantifier
    members: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    member: "Filter"


Filter = Group | Not | Condition


def campaigns_in(filter_: Filter) -> set[UUID]:
    """Those that its conditions name."""
    match filter_:
        case Group(members=members):
            return set().union(*map(campaigns_in, members))
        case Not(member=member):
            return campaigns_in(member)
        case Condition(field=field):
            return {field.campaign_id} if field.campaign_id is not None else set()
