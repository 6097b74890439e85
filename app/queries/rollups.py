"""Counts by group, added up from rollups; only the days at the edges of a span are counted answer by answer.

And whatever a filter fits: its answers are counted apart nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.db.engine import ReadTx, Tx
from app.db.tables import campaigns, responses, score_rollups
from app.db.tables.scores import COUNTERS, RAW_SCORES
from app.domain.scores.grouping import Grouping, GroupKind, Segment
from app.domain.scores.scoring import Histogram
from app.domain.scores.span import Days, Span


@dataclass(frozen=True, slots=True)
class Counted:
    """Which answers. Campaigns are named, or all of one metric."""

    workspace_id: UUID
    campaign_ids: tuple[UUID, ...]
    metric: str
    span: Span
    channels: tuple[str, ...] = ()  # empty: all
    survey_version: int | None = None
    segment: Segment | None = None
    fits: ColumnElement[bool] | None = None  # a condition on `responses`: then they are counted one by one


@dataclass(frozen=True, slots=True)
class _Slice:
    """Rollup rows with this property: `('', '')` are those of all answers, and no value means every value."""

    key: str
    value: str | None


ALL_ANSWERS = _Slice("", "")


async def count_all(tx: ReadTx | Tx, counted: Counted) -> Histogram:
    by_group, _ = await count_by_group(tx, counted, None)
    return by_group.get(None, Histogram())


async def count_by_group(
    tx: ReadTx | Tx, counted: Counted, grouping: Grouping | None
) -> tuple[Mapping[Any, Histogram], Histogram]:
    """The histogram of each group that has answers, and of all answers, in one statement.

    Groups are days (the first of each bucket), channels, survey versions, campaigns, variants or a property's values.
    """
    slices = _slices(counted, grouping)
    rows = (await tx.execute(_statement(counted, grouping, slices))).all()
    by_group = {row[0]: _histogram(row) for row in rows if row[1] == slices[-1].key}
    everything = [_histogram(row) for row in rows if row[1] == slices[0].key]
    return by_group, sum(everything, start=Histogram())


def _histogram(row: Sequence[Any]) -> Histogram:
    return Histogram(tuple(row[2:]))


def _slices(counted: Counted, grouping: Grouping | None) -> list[_Slice]:
    if counted.segment is not None:
        return [_Slice(counted.segment.key, counted.segment.value)]
    if grouping is not None and grouping.segment_key is not None:
        return [ALL_ANSWERS, _Slice(grouping.segment_key, None)]
    return [ALL_ANSWERS]


def _statement(counted: Counted, grouping: Grouping | None, slices: Sequence[_Slice]) -> Select[Any]:
    rows = union_all(*_parts(counted, grouping, slices)).subquery()
    sums = [cast(func.sum(rows.c[counter]), BigInteger) for counter in COUNTERS]
    return select(rows.c.grouped_by, rows.c.property_key, *sums).group_by(rows.c.grouped_by, rows.c.property_key)


def _parts(counted: Counted, grouping: Grouping | None, slices: Sequence[_Slice]) -> list[Select[Any]]:
    if counted.fits is not None:
        return [_from_answers(counted, grouping, of, counted.span.outer_days) for of in slices]
    parts = [_from_rollups(counted, grouping, of) for of in slices]
    return parts + [_from_answers(counted, grouping, of, days) for of in slices for days in counted.span.edge_days]


def _from_rollups(counted: Counted, grouping: Grouping | None, of: _Slice) -> Select[Any]:
    row = score_rollups.c
    conditions = [*_conditions(score_rollups, counted), row.property_key == of.key]
    if of.value is not None:
        conditions.append(row.property_value == of.value)
    by = _group(score_rollups, grouping, value=row.property_value)
    return select(by, row.property_key, *(row[counter] for counter in COUNTERS)).where(
        *conditions, _on_days(row.counted_on, counted.span.inner_days)
    )


def _from_answers(counted: Counted, grouping: Grouping | None, of: _Slice, days: Days) -> Select[Any]:
    """Answers on days that the span may cut through, each judged by its own time."""
    row, span = responses.c, counted.span
    value = literal("", Text) if of is ALL_ANSWERS else row.segments.op("->>")(of.key)
    conditions = [*_conditions(responses, counted), row.excluded_at.is_(None)]
    if counted.fits is not None:
        conditions.append(counted.fits)
    if span.start is not None and not span.start.is_midnight:
        conditions.append(row.answered_at >= span.start.instant)
    if span.end is not None and not span.end.is_midnight:
        conditions.append(row.answered_at < span.end.instant)
    conditions.append(value.is_not(None) if of.value is None else value == of.value)
    by = _group(responses, grouping, value=value)
    counters = (case((row.score == score, 1), else_=0).label(f"s{score}") for score in RAW_SCORES)
    return select(by, literal(of.key, Text).label("property_key"), *counters).where(
        *conditions, _on_days(row.counted_on, days)
    )


def _conditions(table: FromClause, counted: Counted) -> list[ColumnElement[bool]]:
    row = table.c
    conditions: list[ColumnElement[bool]] = [row.workspace_id == counted.workspace_id, _in_campaigns(row, counted)]
    if counted.channels:
        conditions.append(row.channel == any_(literal(list(counted.channels), ARRAY(Text))))
    if counted.survey_version is not None:
        conditions.append(row.survey_version == counted.survey_version)
    return conditions


def _in_campaigns(row: Any, counted: Counted) -> ColumnElement[bool]:
    if counted.campaign_ids:
        is_named: ColumnElement[bool] = row.campaign_id == any_(literal(list(counted.campaign_ids), ARRAY(Uuid)))
        return is_named
    of_metric = select(campaigns.c.id).where(
        campaigns.c.workspace_id == counted.workspace_id, campaigns.c.metric == counted.metric
    )
    has_metric: ColumnElement[bool] = row.campaign_id.in_(of_metric)
    return has_metric


def _group(table: FromClause, grouping: Grouping | None, *, value: ColumnElement[Any]) -> ColumnElement[Any]:
    row = table.c
    match grouping.kind if grouping else None:
        case None:
            by: ColumnElement[Any] = null()
        case GroupKind.CHANNEL:
            by = row.channel
        case GroupKind.SURVEY_VERSION:
            by = row.survey_version
        case GroupKind.CAMPAIGN:
            by = row.campaign_id
        case GroupKind.PROPERTY | GroupKind.VARIANT:
            by = value
        case grain:
            # of a timestamp without zone: of a date it would be an instant in the session's zone
            by = cast(func.date_trunc(grain.value, cast(row.counted_on, TIMESTAMP)), Date)
    return by.label("grouped_by")


def _on_days(counted_on: ColumnElement[Any], days: Days) -> ColumnElement[bool]:
    from_on, until_on = days
    return and_(
        true() if from_on is None else counted_on >= from_on, true() if until_on is None else counted_on < until_on
    )
