from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.scores.period import (
    MOST_BUCKETS,
    Grain,
    Period,
    PeriodEmpty,
    PeriodOutOfRange,
    TooManyBuckets,
    UnknownTimeZone,
    bucket_start,
    buckets,
    day_begins_at,
    day_of,
    next_bucket_start,
    zone_named,
)

DAYS = st.dates(date(1950, 1, 1), date(2100, 1, 1))
GRAINS = st.sampled_from(Grain)
ZONES = st.sampled_from(sorted(name for name in available_timezones() if name != "localtime"))
# Newfoundland changed its clocks at one past midnight until 2011: the only zone where a day came back.
RECENT_DAYS = st.dates(date(2012, 1, 1), date(2037, 12, 31))


@st.composite
def periods(draw: st.DrawFn, *, longest: int = 3000) -> Period:
    from_on = draw(DAYS)
    return Period(from_on, from_on + timedelta(days=draw(st.integers(1, longest))))


def test_a_period_has_at_least_one_day() -> None:
    for until_on in (date(2026, 5, 1), date(2026, 4, 30)):
        with pytest.raises(PeriodEmpty):
            Period(date(2026, 5, 1), until_on)
    assert Period(date(2026, 5, 1), date(2026, 5, 2)).days == 1


def test_absurd_years_are_refused_instead_of_breaking_the_calendar() -> None:
    with pytest.raises(PeriodOutOfRange):
        Period(date(1, 1, 1), date(2026, 1, 1))
    with pytest.raises(PeriodOutOfRange):
        Period(date(2026, 1, 1), date(9999, 12, 31))
    widest = Period(date(1900, 1, 1), date(2200, 1, 1))
    with pytest.raises(PeriodOutOfRange):
        widest.previous()
    with pytest.raises(PeriodOutOfRange):
        widest.year_ago()


@given(periods())
def test_the_previous_period_is_as_long_and_ends_where_this_one_begins(period: Period) -> None:
    previous = period.previous()
    assert previous.until_on == period.from_on
    assert previous.days == period.days


@pytest.mark.parametrize(
    ("from_on", "until_on", "ago_from", "ago_until"),
    [
        ("2026-10-01", "2027-01-01", "2025-10-01", "2026-01-01"),
        ("2025-02-01", "2025-03-01", "2024-02-01", "2024-03-01"),  # all of February, whatever its length
        ("2024-02-01", "2024-03-01", "2023-02-01", "2023-03-01"),
        ("2024-02-29", "2024-03-01", "2023-02-28", "2023-03-01"),  # the leap day alone
        ("2024-02-01", "2024-02-29", "2023-02-01", "2023-03-01"),  # 1–28 February
        ("2024-02-28", "2024-02-29", "2023-02-28", "2023-03-01"),
    ],
)
def test_a_year_ago_means_the_same_calendar_dates(from_on: str, until_on: str, ago_from: str, ago_until: str) -> None:
    period = Period(date.fromisoformat(from_on), date.fromisoformat(until_on))
    assert period.year_ago() == Period(date.fromisoformat(ago_from), date.fromisoformat(ago_until))


@given(periods())
def test_a_year_ago_is_never_empty_and_about_as_long(period: Period) -> None:
    assert abs(period.year_ago().days - period.days) <= 1


@pytest.mark.parametrize(
    ("grain", "starts_on", "next_on"),
    [
        (Grain.DAY, "2026-11-22", "2026-11-23"),
        (Grain.WEEK, "2026-11-16", "2026-11-23"),  # 22 November 2026 is a Sunday: the last day of its ISO week
        (Grain.MONTH, "2026-11-01", "2026-12-01"),
        (Grain.QUARTER, "2026-10-01", "2027-01-01"),
        (Grain.YEAR, "2026-01-01", "2027-01-01"),
    ],
)
def test_a_day_lies_in_one_bucket_of_each_grain(grain: Grain, starts_on: str, next_on: str) -> None:
    assert bucket_start(date(2026, 11, 22), grain=grain) == date.fromisoformat(starts_on)
    assert next_bucket_start(date.fromisoformat(starts_on), grain=grain) == date.fromisoformat(next_on)


@given(DAYS, GRAINS)
def test_the_next_bucket_begins_on_the_first_day_that_is_not_in_this_one(day: date, grain: Grain) -> None:
    starts_on = bucket_start(day, grain=grain)
    next_on = next_bucket_start(starts_on, grain=grain)
    walked = starts_on
    while bucket_start(walked, grain=grain) == starts_on:
        walked += timedelta(days=1)
    assert walked == next_on
    assert starts_on <= day < next_on


@given(periods(longest=MOST_BUCKETS), GRAINS)
def test_buckets_are_the_period_cut_up(period: Period, grain: Grain) -> None:
    found = buckets(period, grain=grain)
    assert found[0].period.from_on == period.from_on
    assert found[-1].period.until_on == period.until_on
    for one, following in pairwise(found):
        assert one.period.until_on == following.period.from_on == following.starts_on
    for bucket in found:
        assert bucket.starts_on == bucket_start(bucket.period.from_on, grain=grain)
        whole = Period(bucket.starts_on, next_bucket_start(bucket.starts_on, grain=grain))
        assert bucket.is_whole == (bucket.period == whole)


def test_more_buckets_than_anybody_can_look_at_are_refused() -> None:
    from_on = date(2020, 1, 1)
    most = Period(from_on, from_on + timedelta(days=MOST_BUCKETS))
    assert len(buckets(most, grain=Grain.DAY)) == MOST_BUCKETS
    with pytest.raises(TooManyBuckets):
        buckets(Period(from_on, most.until_on + timedelta(days=1)), grain=Grain.DAY)


@given(RECENT_DAYS, ZONES)
def test_a_day_begins_at_its_first_instant_in_every_zone(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begins_at = day_begins_at(day, zone)
    assert begins_at.tzinfo is UTC
    assert day_of(begins_at, zone) == day
    assert day_of(begins_at - timedelta(microseconds=1), zone) == day - timedelta(days=1)


@given(RECENT_DAYS, st.integers(1, 400), st.integers(0, 10**15), ZONES)
def test_an_instant_is_in_a_period_exactly_when_its_day_is(day: date, days: int, ticks: int, name: str) -> None:
    period, zone = Period(day, day + timedelta(days=days)), ZoneInfo(name)
    from_at, until_at = period.instants(zone)
    instant = datetime(2012, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks)
    assert (from_at <= instant < until_at) == (period.from_on <= day_of(instant, zone) < period.until_on)


@pytest.mark.parametrize(
    ("zone", "day", "begins_at", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23),  # midnight was skipped: it began at one
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25),  # midnight comes twice: it begins at the first
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0),  # Samoa jumped over this day
        ("Asia/Kathmandu", "2026-06-01", "2026-05-31T18:15:00Z", 24),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(zone: str, day: str, begins_at: str, hours: int) -> None:
    today = date.fromisoformat(day)
    from_at, until_at = Period(today, today + timedelta(days=1)).instants(zone_named(zone))
    assert from_at == datetime.fromisoformat(begins_at)
    assert until_at - from_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "europe/berlin ",
        "../../etc/passwd",
        "/etc/localtime",
        "America",
        "a\0b",
        "\ud800",
        "x" * 5000,
        "localtime",
        "right/Europe/Berlin",
        "posixrules",
    ],
)
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZone):
        zone_named(name)
