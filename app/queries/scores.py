"""What is the score? Of which answers, over which time, in which groups, and compared with when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Text, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.engine import ReadTx, Tx
from app.domain.audience.audience import Filter
from app.domain.audience.audience_operands import Present
from app.domain.campaign import CampaignNotFound
from app.domain.scores.comparison import Change, compare, compare_arms
from app.domain.scores.grouping import (
    Grouping,
    GroupKind,
    MetricsMixed,
    Segment,
    check_baseline,
    check_tracked,
    in_reading_order,
    time_buckets,
    tracked_key,
)
from app.domain.scores.metric import METRICS, NPS, Metric, MetricKey
from app.domain.scores.minimum_group import Withheld
from app.domain.scores.period import MOST_BUCKETS, Bucket, Grain, TooManyBuckets, day_of, zone_named
from app.domain.scores.scoring import DEFAULT_LEVEL, Histogram
from app.domain.scores.segment import OTHER
from app.domain.scores.span import Span
from app.queries.anonymous_counts import AnonymousCounts, count_anonymous
from app.queries.audience_readers import read_answer
from app.queries.audience_sql import condition_of
from app.queries.rollups import Counted, count_all, count_by_group

Said = date | datetime | None  # a day of the workspace, an aware instant, or no bound


class Against(StrEnum):
    PREVIOUS_PERIOD = "previous_period"
    YEAR_AGO = "year_ago"


@dataclass(frozen=True, slots=True)
class Between:
    from_: Said
    until: Said


@dataclass(frozen=True, slots=True)
class ScoreQuestion:
    """No campaigns means the whole workspace."""

    campaign_ids: tuple[UUID, ...] = ()
    metric: MetricKey | None = None
    from_: Said = None
    until: Said = None
    channels: tuple[str, ...] = ()
    survey_version: int | None = None
    segment: Segment | None = None
    group_by: Grouping | None = None
    against: Against | Between | None = None
    baseline: str | None = None  # the group that other variants, or values of a property, are compared with
    level: float = DEFAULT_LEVEL
    fitting: Filter | None = None  # only answers that it fits, which takes reading every answer of the span

    @property
    def is_of_whole_campaigns(self) -> bool:
        narrowed = (self.from_, self.until, self.survey_version, self.segment, self.fitting)
        return not self.channels and all(each is None for each in narrowed)


@dataclass(frozen=True, slots=True)
class Group:
    """`key` is a bucket's first day, a channel, a version, a campaign's id, a variant or a property's value.

    None: no value. `change` is from the baseline to this group.
    """

    key: Any
    histogram: Histogram
    bucket: Bucket | None = None
    change: Change | None = None
    withheld: Withheld | None = None  # then the histogram is empty


@dataclass(frozen=True, slots=True)
class Comparison:
    """`change` is None where one of the sides is withheld."""

    span: Span
    histogram: Histogram
    change: Change | None
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    metric: Metric
    span: Span
    histogram: Histogram
    groups: list[Group] | None
    comparison: Comparison | None
    baseline: str | None = None
    withheld: Withheld | None = None


@dataclass(frozen=True, slots=True)
class _Scope:
    time_zone: str
    campaigns: Mapping[str, int]  # how many of the campaigns asked for have each metric
    property_state: str | None
    property_buckets: object
    anonymous: frozenset[UUID]  # campaigns, of those asked for


async def answer_score(tx: ReadTx | Tx, workspace_id: UUID, question: ScoreQuestion, *, now: datetime) -> ScoreAnswer:
    """Raises CampaignNotFound, MetricsMixed, and what baselines, spans, buckets and tracked properties refuse."""
    check_baseline(question.baseline, question.group_by)
    key = tracked_key(question.segment, question.group_by)
    scope = await _scope(tx, workspace_id, question, key)
    if key is not None:
        check_tracked(key, state=scope.property_state)
    metric, zone = _metric(question, scope), zone_named(scope.time_zone)
    span = Span.of(question.from_, question.until, zone=zone)
    counted = Counted(
        workspace_id, question.campaign_ids, metric.key, span, question.channels, question.survey_version,
        question.segment, None if question.fitting is None else condition_of(
            question.fitting, read_answer, Present(now, zone)
        ),
    )  # fmt: skip
    found, everything = await count_by_group(tx, counted, question.group_by)
    anonymous = await count_anonymous(tx, counted, question.group_by, (found, everything), anonymous=scope.anonymous)
    withheld = Withheld.MINIMUM_GROUP if anonymous.are_too_few and not question.is_of_whole_campaigns else None
    histogram = Histogram() if withheld else everything
    comparison = await _comparison(tx, question, counted, None if withheld else histogram, metric, scope)
    if question.group_by is None:
        return ScoreAnswer(metric, span, histogram, None, comparison, withheld=withheld)
    groups = _groups(question.group_by, found, everything, span, scope, today=day_of(now, zone))
    groups = _told(groups, question, anonymous)
    baseline = question.baseline or _first_variant(question.group_by, groups)
    groups = groups if baseline is None else _compared(groups, metric, baseline=baseline, level=question.level)
    return ScoreAnswer(metric, span, histogram, groups, comparison, baseline, withheld)


async def _scope(tx: ReadTx | Tx, workspace_id: UUID, question: ScoreQuestion, key: str | None) -> _Scope:
    metric = question.metric or NPS.key
    asked = {"workspace_id": workspace_id, "campaign_ids": list(question.campaign_ids), "key": key, "metric": metric}
    row = (await tx.execute(_SCOPE, asked)).one()
    return _Scope(
        row.time_zone, row.campaigns or {}, row.property_state, row.property_buckets, frozenset(row.anonymous)
    )


_SCOPE = text("""
    SELECT w.time_zone, t.state AS property_state, t.buckets AS property_buckets, (
        SELECT jsonb_object_agg(metric, campaigns) FROM (
            SELECT c.metric, count(*) AS campaigns FROM campaigns c
            WHERE c.workspace_id = w.id AND c.id = ANY(CAST(:campaign_ids AS uuid[])) GROUP BY c.metric
        ) c
    ) AS campaigns, ARRAY(
        SELECT c.id FROM campaigns c WHERE c.workspace_id = w.id AND c.is_anonymous AND CASE
            WHEN cardinality(CAST(:campaign_ids AS uuid[])) = 0 THEN c.metric = :metric
            ELSE c.id = ANY(CAST(:campaign_ids AS uuid[]))
        END
    ) AS anonymous
    FROM workspaces w LEFT JOIN tracked_properties t ON t.workspace_id = w.id AND t.key = CAST(:key AS text)
    WHERE w.id = :workspace_id
""").columns(time_zone=Text, property_state=Text, property_buckets=JSONB, campaigns=JSONB)


def _metric(question: ScoreQuestion, scope: _Scope) -> Metric:
    if not question.campaign_ids:
        return METRICS[question.metric or NPS.key]
    if sum(scope.campaigns.values()) < len(set(question.campaign_ids)):
        raise CampaignNotFound("There is no campaign with this id.")
    metrics = set(scope.campaigns) | ({question.metric.value} if question.metric else set())
    if len(metrics) > 1:
        detail = f"These are {' and '.join(sorted(metrics))}: a score has one metric."
        raise MetricsMixed(detail, metrics=sorted(metrics))
    return METRICS[metrics.pop()]


def _groups(
    grouping: Grouping,
    found: Mapping[Any, Histogram],
    everything: Histogram,
    span: Span,
    scope: _Scope,
    *,
    today: date,
) -> list[Group]:
    if grouping.grain is not None:
        return _time_groups(found, span, grain=grouping.grain, today=today)
    if grouping.segment_key is not None:
        counts = {value: histogram.n for value, histogram in found.items() if histogram.n}
        by_name = grouping.kind is GroupKind.VARIANT
        order = sorted(counts) if by_name else _in_reading_order(counts, scope)
        return _value_groups(found, everything, order=order)
    if len(found) > MOST_BUCKETS:
        raise TooManyBuckets(f"There are {len(found)} groups; at most {MOST_BUCKETS} are given at once.")
    return [Group(key, found[key]) for key in sorted(found)]


def _time_groups(found: Mapping[date, Histogram], span: Span, *, grain: Grain, today: date) -> list[Group]:
    buckets = time_buckets(span, grain=grain, found=found.keys(), today=today)
    return [Group(bucket.starts_on, found.get(bucket.starts_on, Histogram()), bucket) for bucket in buckets]


def _in_reading_order(counts: Mapping[str, int], scope: _Scope) -> list[str]:
    return in_reading_order(counts.items(), declared_buckets=scope.property_buckets)


def _value_groups(found: Mapping[str, Histogram], everything: Histogram, *, order: Sequence[str]) -> list[Group]:
    """With a last group for the answers that have no value, so that the groups add up."""
    groups = [Group(value, found[value]) for value in order]
    rest = everything - sum((group.histogram for group in groups), start=Histogram())
    return [*groups, Group(None, rest)] if rest.n else groups


def _told(groups: list[Group], question: ScoreQuestion, anonymous: AnonymousCounts) -> list[Group]:
    """Without what tells too much. Whole campaigns are told, however few answered."""
    if question.is_of_whole_campaigns and question.group_by == Grouping(GroupKind.CAMPAIGN):
        return groups
    telling = anonymous.too_telling([group.key for group in groups])
    return [
        replace(group, histogram=Histogram(), withheld=Withheld.MINIMUM_GROUP) if group.key in telling else group
        for group in groups
    ]


def _first_variant(grouping: Grouping, groups: Sequence[Group]) -> str | None:
    if grouping.kind is not GroupKind.VARIANT:
        return None
    return next((group.key for group in groups if group.key is not None), None)


def _compared(groups: Sequence[Group], metric: Metric, *, baseline: str, level: float) -> list[Group]:
    """Each arm with the baseline, which may have no answers yet. No arms: what has no value, or one of the rest."""
    base = next((group for group in groups if group.key == baseline), Group(baseline, Histogram()))
    if base.withheld:
        return list(groups)
    before = base.histogram
    arms = [group for group in groups if group.key not in {None, OTHER, baseline} and not group.withheld]
    changes = compare_arms(metric, [before, *(arm.histogram for arm in arms)], level=level)
    change_of = dict(zip((arm.key for arm in arms), changes, strict=True))
    return [replace(group, change=change_of.get(group.key)) for group in groups]


async def _comparison(
    tx: ReadTx | Tx, question: ScoreQuestion, counted: Counted, after: Histogram | None, metric: Metric, scope: _Scope
) -> Comparison | None:
    """`after` is None when it is withheld."""
    if question.against is None:
        return None
    earlier = replace(counted, span=_span_against(question.against, counted.span))
    before = await count_all(tx, earlier)
    anonymous = await count_anonymous(tx, earlier, None, ({}, before), anonymous=scope.anonymous)
    if anonymous.are_too_few:
        return Comparison(earlier.span, Histogram(), None, Withheld.MINIMUM_GROUP)
    change = None if after is None else compare(metric, before=before, after=after, level=question.level)
    return Comparison(earlier.span, before, change)


def _span_against(against: Against | Between, span: Span) -> Span:
    match against:
        case Against.PREVIOUS_PERIOD:
            return span.previous()
        case Against.YEAR_AGO:
            return span.year_ago()
        case Between(from_, until):
            return Span.of(from_, until, zone=span.zone)
