from datetime import date
from zoneinfo import ZoneInfo

import pytest

from app.domain.scores.grouping import (
    Grouping,
    GroupKind,
    PropertyNotReady,
    PropertyNotTracked,
    Segment,
    SegmentsNotCombined,
    check_tracked,
    in_reading_order,
    time_buckets,
    tracked_key,
)
from app.domain.scores.period import Grain, TooManyBuckets
from app.domain.scores.span import Span

TODAY = date(2026, 11, 22)
UTC_ZONE = ZoneInfo("UTC")


def starts(span: Span, grain: Grain, *found: date) -> list[str]:
    return [str(bucket.starts_on) for bucket in time_buckets(span, grain=grain, found=found, today=TODAY)]


def test_all_of_time_begins_with_the_first_answer_and_ends_today() -> None:
    always = Span.of(None, None, zone=UTC_ZONE)
    assert starts(always, Grain.MONTH, date(2026, 9, 1)) == ["2026-09-01", "2026-10-01", "2026-11-01"]
    assert starts(always, Grain.MONTH) == []


def test_a_period_is_full_of_buckets_without_any_answer() -> None:
    span = Span.of(date(2026, 9, 10), date(2026, 11, 1), zone=UTC_ZONE)
    assert starts(span, Grain.MONTH) == ["2026-09-01", "2026-10-01"]


def test_an_open_end_in_the_future_has_one_bucket() -> None:
    assert starts(Span.of(date(2027, 1, 1), None, zone=UTC_ZONE), Grain.DAY) == ["2027-01-01"]


def test_an_answer_counted_on_a_day_of_another_zone_keeps_its_bucket() -> None:
    noon = Span.of(date(2026, 11, 2), date(2026, 11, 3), zone=UTC_ZONE)
    assert starts(noon, Grain.DAY, date(2026, 11, 1), date(2026, 11, 3)) == ["2026-11-01", "2026-11-02", "2026-11-03"]


def test_too_many_buckets_are_refused() -> None:
    with pytest.raises(TooManyBuckets):
        starts(Span.of(date(2020, 1, 1), None, zone=UTC_ZONE), Grain.DAY)


def test_declared_buckets_come_in_their_order_and_others_by_size_with_the_rest_last() -> None:
    counts = [("≥20", 9), ("<10", 1), ("10–<20", 5)]
    assert in_reading_order(counts, declared_buckets=[10, 20]) == ["<10", "10–<20", "≥20"]
    plans = [("(other)", 99), ("free", 3), ("team", 3), ("pro", 7)]
    assert in_reading_order(plans, declared_buckets=None) == ["pro", "free", "team", "(other)"]


def test_one_tracked_property_at_a_time() -> None:
    by_plan = Grouping(GroupKind.PROPERTY, "plan")
    assert tracked_key(None, None) is None
    assert tracked_key(Segment("plan", "pro"), Grouping(GroupKind.MONTH)) == "plan"
    assert tracked_key(Segment("plan", "pro"), by_plan) == "plan"
    with pytest.raises(SegmentsNotCombined):
        tracked_key(Segment("country", "de"), by_plan)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [(None, PropertyNotTracked), ("removing", PropertyNotTracked), ("declaring", PropertyNotReady)],
)
def test_only_a_property_that_is_fully_counted_may_be_asked_for(state: str | None, refusal: type[Exception]) -> None:
    check_tracked("plan", state="tracked")
    with pytest.raises(refusal):
        check_tracked("plan", state=state)
