"""By what answers are counted apart."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.errors import Conflict, RuleViolation
from app.domain.scores.period import ONE_DAY, Bucket, Grain, Period, bucket_start, buckets, next_bucket_start
from app.domain.scores.segment import OTHER, VARIANT, bucket_labels, buckets_from_json
from app.domain.scores.span import Span
from app.domain.scores.tracking import TrackingState


class MetricsMixed(RuleViolation):
    """Scores of different metrics cannot be added up."""

    code = "metrics_mixed"


class PropertyNotTracked(RuleViolation):
    """The property is not tracked."""

    code = "property_not_tracked"


class PropertyNotReady(Conflict):
    """Older responses are still being counted under this property."""

    code = "property_not_ready"


class SegmentsNotCombined(RuleViolation):
    """Scores are counted by one property at a time."""

    code = "segments_not_combined"


class BaselineNeedsArms(RuleViolation):
    """There are no arms to compare with a baseline."""

    code = "baseline_needs_arms"


class GroupKind(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    CHANNEL = "channel"
    SURVEY_VERSION = "survey_version"
    CAMPAIGN = "campaign"
    VARIANT = "variant"
    PROPERTY = "property"


@dataclass(frozen=True, slots=True)
class Grouping:
    kind: GroupKind
    property_key: str | None = None

    @property
    def grain(self) -> Grain | None:
        return Grain(self.kind.value) if self.kind.value in set(Grain) else None

    @property
    def segment_key(self) -> str | None:
        """Under which key of their segments the answers of these groups are counted."""
        return VARIANT if self.kind is GroupKind.VARIANT else self.property_key


@dataclass(frozen=True, slots=True)
class Segment:
    """The answers with this value of a tracked property."""

    key: str
    value: str


def tracked_key(segment: Segment | None, grouping: Grouping | None) -> str | None:
    """The one tracked property a question is about. Raises SegmentsNotCombined."""
    keys = {segment.key} if segment else set()
    keys |= {grouping.segment_key} if grouping and grouping.segment_key else set()
    if len(keys) > 1:
        raise SegmentsNotCombined("Ask for one tracked property at a time: only single ones are counted.")
    return next(iter(keys), None)


def check_tracked(key: str, *, state: str | None) -> None:
    """Variants always are. Raises PropertyNotTracked, PropertyNotReady."""
    if key == VARIANT:
        return
    if state is None or state == TrackingState.REMOVING:
        raise PropertyNotTracked(f"{key} is not a tracked property; declare it first.", key=key)
    if state == TrackingState.DECLARING:
        detail = f"{key} was declared a moment ago; older responses are still being counted under it."
        raise PropertyNotReady(detail, key=key)


def check_baseline(baseline: str | None, grouping: Grouping | None) -> None:
    """Raises BaselineNeedsArms."""
    if baseline is not None and (grouping is None or grouping.segment_key is None):
        detail = "A baseline is one of the groups by variant or by property:<key>: ask for these."
        raise BaselineNeedsArms(detail, pointer="/baseline")


def time_buckets(span: Span, *, grain: Grain, found: Collection[date], today: date) -> list[Bucket]:
    """Every bucket of the span, also those without answers; `found` names the buckets that have some.

    Without a beginning it is the first answer's, without an end today's. A bucket outside the span is there when an
    answer inside it was counted on a day of another time zone. Raises TooManyBuckets.
    """
    from_on = span.start.day if span.start else min(found, default=None)
    if from_on is None:
        return []
    until_on = span.end.first_day_after if span.end else max(today, from_on) + ONE_DAY
    if found and min(found) < bucket_start(from_on, grain=grain):
        from_on = min(found)
    if found and max(found) >= until_on:
        until_on = next_bucket_start(max(found), grain=grain)
    return buckets(Period(from_on, until_on), grain=grain)


def in_reading_order(counts: Iterable[tuple[str, int]], *, declared_buckets: object) -> list[str]:
    """Values as their declaration orders them, else the most frequent first; what is left over comes last."""
    boundaries = buckets_from_json(declared_buckets)
    order = bucket_labels(boundaries) if isinstance(boundaries, tuple) else []
    places = {label: place for place, label in enumerate(order)}
    ranked = sorted(counts, key=lambda pair: (pair[0] == OTHER, places.get(pair[0], len(places)), -pair[1], pair[0]))
    return [value for value, _ in ranked]
