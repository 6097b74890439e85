"""Reading a filter: whatever cannot be meant is refused with the place where it stands."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NoReturn
from uuid import UUID

from app.domain import ids
from app.domain.audience.audience import (
    Comparison,
    Condition,
    Filter,
    FilterInvalid,
    Group,
    Moment,
    Not,
    Quantifier,
    Relative,
)
from app.domain.audience.audience_fields import (
    BY_SIZE,
    IN_ONE_CAMPAIGN,
    IN_TEXT,
    IN_TIME,
    OPERATORS,
    About,
    Field,
    Kind,
    Operator,
    find_field,
)
from app.domain.people.properties import LONGEST_KEY, LONGEST_TEXT
from app.domain.pointer import json_pointer
from app.domain.scores.metric import Band
from app.domain.scores.period import EARLIEST, LATEST

MOST_DEPTH = 8
MOST_CONDITIONS = 50
MOST_VALUES = 500  # in one list
FARTHEST_DAYS = 36_500
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Place = tuple[object, ...]


def read_filter(document: object, *, about: About = About.PEOPLE, at: Place = ("filter",)) -> Filter:
    """`at`: where the document stands in what was sent. Raises FilterInvalid."""
    return _Reader(about).read(document, at, depth=1)


def _refuse(at: Place, detail: str) -> NoReturn:
    raise FilterInvalid(detail, pointer=json_pointer(*at))


class _Reader:
    def __init__(self, about: About) -> None:
        self._about, self._conditions = about, 0

    def read(self, document: object, at: Place, *, depth: int) -> Filter:
        if not isinstance(document, Mapping):
            _refuse(at, "A filter is an object with `all`, `any`, `not` or `field`.")
        if depth > MOST_DEPTH:
            _refuse(at, f"Filters are nested at most {MOST_DEPTH} deep.")
        if "field" in document:
            return self._condition(document, at)
        if len(document) != 1 or next(iter(document)) not in {"all", "any", "not"}:
            _refuse(at, "A filter has one of `all`, `any`, `not` and `field`, and beside `field` only comparisons.")
        ((name, content),) = document.items()
        if name == "not":
            return Not(self.read(content, (*at, name), depth=depth + 1))
        return Group(Quantifier(name), self._members(content, (*at, name), depth=depth))

    def _members(self, content: object, at: Place, *, depth: int) -> tuple[Filter, ...]:
        if not isinstance(content, list) or not content:
            _refuse(at, "Give a list of at least one filter.")
        if len(content) > MOST_CONDITIONS:
            _refuse(at, f"A filter has at most {MOST_CONDITIONS} conditions.")
        return tuple(self.read(member, (*at, place), depth=depth + 1) for place, member in enumerate(content))

    def _condition(self, document: Mapping[str, Any], at: Place) -> Condition:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            _refuse(at, f"A filter has at most {MOST_CONDITIONS} conditions.")
        field = _field(document, at, about=self._about)
        said = {name: operand for name, operand in document.items() if name not in {"field", "campaign_id"}}
        if not said:
            _refuse(at, f"Compare it with one of {_names(field.kind)}.")
        return Condition(field, tuple(_comparison(field, name, operand, (*at, name)) for name, operand in said.items()))


def _field(document: Mapping[str, Any], at: Place, *, about: About) -> Field:
    name = document["field"]
    found = find_field(name, about) if isinstance(name, str) else None
    if found is None:
        kept = "" if about is About.PEOPLE else " Answers are filtered by properties and by the account."
        _refuse((*at, "field"), f"There is no such field to filter by.{kept}")
    if found.key is not None and not 1 <= len(found.key) <= LONGEST_KEY:
        _refuse((*at, "field"), f"Keys of properties have 1 to {LONGEST_KEY} characters.")
    return Field(found.name, found.kind, found.key, _campaign_id(document, found, at))


def _campaign_id(document: Mapping[str, Any], field: Field, at: Place) -> UUID | None:
    if "campaign_id" not in document:
        if field.name in IN_ONE_CAMPAIGN:
            _refuse((*at, "campaign_id"), f"{field.name} is asked of one campaign: name it.")
        return None
    if not field.is_history:
        _refuse((*at, "campaign_id"), f"{field.name} is the same in every campaign.")
    said = document["campaign_id"]
    campaign_id = ids.parsed("campaign", said) if isinstance(said, str) else None
    return campaign_id or _refuse((*at, "campaign_id"), "Should be an id like camp_ and 32 hexadecimal digits.")


def _comparison(field: Field, name: str, operand: object, at: Place) -> Comparison:
    if name not in {operator.value for operator in OPERATORS[field.kind]}:
        _refuse(at, f"{field.name} is compared with {_names(field.kind)}.")
    operator = Operator(name)
    return Comparison(operator, _operand(field, operator, operand, at))


def _names(kind: Kind) -> str:
    return ", ".join(operator.value for operator in Operator if operator in OPERATORS[kind])


def _operand(field: Field, operator: Operator, operand: object, at: Place) -> Any:
    if operator is Operator.EXISTS:
        return operand if isinstance(operand, bool) else _refuse(at, "Should be true or false.")
    if operator is Operator.IN:
        return _values(field, operand, at)
    if operator in IN_TIME:
        return _moment(operand, at)
    if operator in BY_SIZE:
        return operand if _is_number(operand) else _refuse(at, "Should be a number; days have since and before.")
    if operator in IN_TEXT:
        return _text(operand, at) or _refuse(at, "Should not be empty.")
    return _value(field, operand, at)


def _values(field: Field, operand: object, at: Place) -> tuple[Any, ...]:
    if not isinstance(operand, list) or not 1 <= len(operand) <= MOST_VALUES:
        _refuse(at, f"Give a list of 1 to {MOST_VALUES} values.")
    return tuple(_value(field, value, (*at, place)) for place, value in enumerate(operand))


def _value(field: Field, value: object, at: Place) -> Any:
    if field.name == "last_band" and value not in set(Band):
        _refuse(at, f"Should be one of {', '.join(Band)}.")
    match field.kind:
        case Kind.TEXT:
            return _text(value, at)
        case Kind.NUMBER:
            return value if _is_number(value) else _refuse(at, "Should be a number.")
        case Kind.FLAG:
            return value if isinstance(value, bool) else _refuse(at, "Should be true or false.")
    if isinstance(value, bool) or _is_number(value):
        return value
    if value is None:
        _refuse(at, 'Nothing equals null; ask with "exists": false.')
    return _text(value, at)


def _text(value: object, at: Place) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        _refuse(at, f"Should be text of at most {LONGEST_TEXT} characters.")
    return value


def _is_number(value: object) -> bool:
    """Within what JSON keeps exactly: 1e300 would come back from the database as an integer of three hundred digits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 2**53  # nor NaN


def _moment(operand: object, at: Place) -> Moment:
    if isinstance(operand, Mapping):
        return _relative(operand, at)
    try:
        if isinstance(operand, str) and DAY.fullmatch(operand):
            return _in_our_time(date.fromisoformat(operand), at)
        if isinstance(operand, str) and INSTANT.fullmatch(operand):
            return _in_our_time(datetime.fromisoformat(operand), at)
    except ValueError:
        pass
    _refuse(at, 'Should be a day such as "2026-11-22", an RFC 3339 instant, or {"days": -30}.')


def _relative(operand: Mapping[str, Any], at: Place) -> Relative:
    days = operand.get("days")
    if set(operand) != {"days"} or not isinstance(days, int) or isinstance(days, bool) or abs(days) > FARTHEST_DAYS:
        _refuse(at, f'Should be {{"days": 30}}, a whole number up to {FARTHEST_DAYS}; negative: ago.')
    return Relative(days)


def _in_our_time(moment: Moment, at: Place) -> Moment:
    assert isinstance(moment, date)
    if not EARLIEST.year < moment.year < LATEST.year:
        _refuse(at, f"Should lie between the years {EARLIEST.year} and {LATEST.year}.")
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment
