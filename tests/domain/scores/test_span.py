from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.scores.period import PeriodEmpty, PeriodOutOfRange
from app.domain.scores.span import ComparisonNeedsPeriod, Span

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
NAMES = sorted(name for name in available_timezones() if name != "localtime")
zones = (st.sampled_from(NAMES) | st.sampled_from(["Pacific/Kiritimati", "Etc/GMT+12"])).map(ZoneInfo)
instants = st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # replaced by a time near the bound
bounds = st.none() | instants | st.dates(date(1901, 1, 1), date(2199, 1, 1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@given(start=bounds, end=bounds, zone=zones, counted_in=zones, answered_at=instants, near=st.integers(-3000, 3000))
@example(datetime(2026, 11, 1, 10, 59, tzinfo=UTC), None, ZoneInfo("UTC"), ZoneInfo("Pacific/Kiritimati"), NEVER, -30)
@example(None, datetime(2026, 11, 1, 12, 30, tzinfo=UTC), ZoneInfo("UTC"), ZoneInfo("Etc/GMT+12"), NEVER, 5)
def test_days_inside_hold_only_answers_that_belong_and_no_answer_lies_beyond_the_edges(
    start: date | datetime | None,
    end: date | datetime | None,
    zone: ZoneInfo,
    counted_in: ZoneInfo,
    answered_at: datetime,
    near: int,
) -> None:
    """However far the zone it was counted in is from the zone that is asked in."""
    try:
        span = Span.of(start, end, zone=zone)
    except PeriodEmpty:
        return
    bound = span.end or span.start
    if bound is not None and not bound.is_midnight:
        answered_at = bound.instant + timedelta(minutes=near)
    day = answered_at.astimezone(counted_in).date()
    belongs = _is_inside(span, day, answered_at)
    if _within(span.inner_days, day):
        assert belongs
    else:
        assert not belongs or any(_within(days, day) for days in span.edge_days)
    assert sum(_within(days, day) for days in [span.inner_days, *span.edge_days]) <= 1


def _is_inside(span: Span, day: date, answered_at: datetime) -> bool:
    after = span.start is None or (
        day >= span.start.day if span.start.is_midnight else answered_at >= span.start.instant
    )
    before = span.end is None or (day < span.end.day if span.end.is_midnight else answered_at < span.end.instant)
    return after and before


def _within(days: tuple[date | None, date | None], day: date) -> bool:
    return (days[0] is None or days[0] <= day) and (days[1] is None or day < days[1])


def test_whole_days_have_no_edges() -> None:
    span = Span.of(date(2026, 5, 1), date(2026, 6, 1), zone=BERLIN)
    assert span.inner_days == (date(2026, 5, 1), date(2026, 6, 1))
    assert span.edge_days == []
    assert Span.of(None, None, zone=BERLIN).edge_days == []


def test_an_instant_that_is_midnight_is_the_day_that_begins() -> None:
    by_instants = Span.of(at("2026-04-30T22:00:00+00:00"), at("2026-06-01T00:00:00+02:00"), zone=BERLIN)
    assert by_instants == Span.of(date(2026, 5, 1), date(2026, 6, 1), zone=BERLIN)


def test_a_span_within_a_day_has_only_an_edge() -> None:
    span = Span.of(at("2026-05-04T10:00:00Z"), at("2026-05-04T11:00:00Z"), zone=BERLIN)
    assert span.edge_days == [(date(2026, 5, 3), date(2026, 5, 6))]
    inner_from, inner_until = span.inner_days
    assert inner_from is not None
    assert inner_until is not None
    assert inner_from >= inner_until


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 5, 1), date(2026, 5, 1)),
        (date(2026, 5, 2), date(2026, 5, 1)),
        (at("2026-05-01T10:00:00Z"), at("2026-05-01T10:00:00Z")),
        (at("2026-05-01T10:00:00Z"), date(2026, 5, 1)),
    ],
)
def test_a_span_ends_after_it_begins(start: date | datetime, end: date | datetime) -> None:
    with pytest.raises(PeriodEmpty):
        Span.of(start, end, zone=BERLIN)


def test_a_day_that_a_zone_left_out_is_a_period_like_any_other() -> None:
    assert Span.of(date(2011, 12, 30), date(2011, 12, 31), zone=APIA).edge_days == []


@pytest.mark.parametrize("said", [date(1899, 12, 31), date(2200, 1, 2), at("1899-12-31T23:59:59Z")])
def test_a_span_lies_within_the_years_served(said: date | datetime) -> None:
    with pytest.raises(PeriodOutOfRange):
        Span.of(said, None, zone=BERLIN)


def test_the_period_before_is_as_long_in_days_even_when_a_clock_changes() -> None:
    span = Span.of(date(2026, 3, 29), date(2026, 4, 5), zone=BERLIN)
    assert span.previous() == Span.of(date(2026, 3, 22), date(2026, 3, 29), zone=BERLIN)


def test_the_time_before_instants_is_as_long_in_time() -> None:
    span = Span.of(at("2026-03-29T00:30:00Z"), at("2026-03-29T06:30:00Z"), zone=BERLIN)
    assert span.previous() == Span.of(at("2026-03-28T18:30:00Z"), at("2026-03-29T00:30:00Z"), zone=BERLIN)


def test_a_year_ago_it_was_as_late_by_the_clock() -> None:
    span = Span.of(at("2026-03-29T12:00:00+02:00"), date(2026, 4, 5), zone=BERLIN)
    assert span.year_ago() == Span.of(at("2025-03-29T12:00:00+01:00"), date(2025, 4, 5), zone=BERLIN)


def test_a_leap_day_was_the_28th_a_year_ago() -> None:
    span = Span.of(at("2024-02-29T12:00:00+01:00"), at("2024-02-29T13:00:00+01:00"), zone=BERLIN)
    assert span.year_ago() == Span.of(at("2023-02-28T12:00:00+01:00"), at("2023-02-28T13:00:00+01:00"), zone=BERLIN)
    whole = Span.of(date(2024, 2, 1), date(2024, 3, 1), zone=BERLIN)
    assert whole.year_ago() == Span.of(date(2023, 2, 1), date(2023, 3, 1), zone=BERLIN)


@pytest.mark.parametrize("bounds", [(None, None), (date(2026, 5, 1), None), (None, date(2026, 5, 1))])
def test_only_a_period_with_two_ends_has_one_before(bounds: tuple[date | None, date | None]) -> None:
    span = Span.of(*bounds, zone=BERLIN)
    for earlier in (span.previous, span.year_ago):
        with pytest.raises(ComparisonNeedsPeriod):
            earlier()
