"""Filters as conditions that PostgreSQL judges: every name is ours, every value that was said is bound.

Each condition is true or false and never null, so that `not` holds exactly what its filter does not.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Date,
    Numeric,
    Text,
    and_,
    any_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.base import instant
from app.domain.audience.audience import Comparison, Condition, Filter, Group, Not, Quantifier
from app.domain.audience.audience_fields import BY_SIZE, IN_TIME, Field, Kind, Operator
from app.domain.audience.audience_operands import SIZES, Present, exact
from app.domain.scores.segment import DATE_SHAPE

Truth = ColumnElement[bool]
Reader = Callable[[Field], ColumnElement[Any]]  # the value of a field, in the rows that are judged

TYPES: Mapping[Kind, Any] = MappingProxyType({Kind.TEXT: Text, Kind.NUMBER: Numeric, Kind.FLAG: Boolean})


def condition_of(filter_: Filter, read: Reader, present: Present) -> Truth:
    match filter_:
        case Group(quantifier, members):
            join = and_ if quantifier is Quantifier.ALL else or_
            return join(*(condition_of(member, read, present) for member in members))
        case Not(member):
            return not_(condition_of(member, read, present))
        case Condition(field, comparisons):
            judge = _judge_property if field.kind is Kind.ANY else _judge
            value = read(field)
            return and_(*(judge(field, value, comparison, present) for comparison in comparisons))
    raise AssertionError(filter_)


def _judge(field: Field, value: ColumnElement[Any], comparison: Comparison, present: Present) -> Truth:
    asked, operand = comparison.operator, comparison.operand
    if asked is Operator.EXISTS:
        return value.is_not(None) if operand else value.is_(None)
    if asked in IN_TIME:
        return _surely(SIZES[asked](value, _moment(field, operand, present)))
    if asked in BY_SIZE:
        return _surely(SIZES[asked](cast(value, Numeric), _number(operand)))
    match asked:
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return _surely(_in_text(asked, value, operand))
        case Operator.IN:
            values = [_bound(field, one) for one in operand]
            return _surely(value == any_(literal(values, ARRAY(TYPES[field.kind]))))
    is_equal = _surely(value == literal(_bound(field, operand), TYPES[field.kind]))
    return is_equal if asked is Operator.EQ else not_(is_equal)


def _judge_property(_: Field, value: ColumnElement[Any], comparison: Comparison, present: Present) -> Truth:
    asked, operand = comparison.operator, comparison.operand
    text = value.op("#>>")(literal([], ARRAY(Text)))
    if asked is Operator.EXISTS:
        is_there = _surely(func.jsonb_typeof(value) != literal("null"))
        return is_there if operand else not_(is_there)
    if asked in BY_SIZE:
        return _of_type("number", value, SIZES[asked](cast(value, Numeric), _number(operand)))
    if asked in IN_TIME:
        day = literal(present.day(operand).isoformat(), Text)
        is_in_time = SIZES[asked](func.left(text, 10).collate("C"), day)
        return _of_type("string", value, and_(text.op("~")(f"^(?:{DATE_SHAPE.pattern})$"), is_in_time))
    match asked:
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return _of_type("string", value, _in_text(asked, text, operand))
        case Operator.IN:
            values = cast(literal([json.dumps(one) for one in operand], ARRAY(Text)), ARRAY(JSONB))
            return _surely(value == any_(values))
    is_equal = _surely(value == cast(literal(json.dumps(operand), Text), JSONB))
    return is_equal if asked is Operator.EQ else not_(is_equal)


def _surely(condition: ColumnElement[Any]) -> Truth:
    return func.coalesce(condition, false())


def _of_type(kind: str, value: ColumnElement[Any], condition: Truth) -> Truth:
    """A CASE, because PostgreSQL may look at the parts of an AND in any order, and would cast a text to a number."""
    return case((func.jsonb_typeof(value) == literal(kind), condition), else_=false())


def _in_text(asked: Operator, value: ColumnElement[Any], operand: str) -> Truth:
    if asked is Operator.STARTS_WITH:
        begins: Truth = func.starts_with(value, literal(operand, Text))
        return begins
    return func.strpos(value, literal(operand, Text)) > 0


def _moment(field: Field, operand: Any, present: Present) -> ColumnElement[Any]:
    if field.kind is Kind.DAY:
        return literal(present.day(operand), Date)
    return literal(present.instant(operand), instant)


def _bound(field: Field, operand: Any) -> Any:
    return exact(operand) if field.kind is Kind.NUMBER else operand


def _number(operand: float) -> ColumnElement[Any]:
    return literal(exact(operand), Numeric)
