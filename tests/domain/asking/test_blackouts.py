from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.blackouts import (
    Blackout,
    Blackouts,
    add_open_time,
    dark_stretches,
    without_blackouts,
)
from tests.domain.asking.open_time import open_time_between

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
HOURS = st.integers(0, 200).map(lambda hours: timedelta(hours=hours))
LENGTHS = st.integers(1, 60).map(lambda hours: timedelta(hours=hours))
BLACKOUTS = st.lists(st.builds(lambda since, long: dark(since, since + long), HOURS, LENGTHS), max_size=6).map(tuple)


def dark(since: timedelta, until: timedelta) -> Blackout:
    return Blackout(MONDAY + since, MONDAY + until)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_a_clock_stands_still_in_a_blackout() -> None:
    blackouts = (dark(hours(10), hours(30)),)
    assert add_open_time(MONDAY, hours(24), blackouts) == MONDAY + hours(44)
    assert add_open_time(MONDAY, hours(24), ()) == MONDAY + hours(24)
    assert open_time_between(MONDAY, MONDAY + hours(44), blackouts) == hours(24)


def test_a_clock_that_ran_out_just_as_the_blackout_began_does_not_wait() -> None:
    assert add_open_time(MONDAY, hours(10), (dark(hours(10), hours(30)),)) == MONDAY + hours(10)


def test_a_clock_started_in_a_blackout_starts_at_its_end() -> None:
    assert add_open_time(MONDAY + hours(12), hours(1), (dark(hours(10), hours(30)),)) == MONDAY + hours(31)


def test_blackouts_that_overlap_or_touch_count_once() -> None:
    blackouts = (dark(hours(20), hours(25)), dark(hours(10), hours(20)), dark(hours(12), hours(15)))
    assert dark_stretches(blackouts) == ((MONDAY + hours(10), MONDAY + hours(25)),)
    assert add_open_time(MONDAY, hours(11), blackouts) == MONDAY + hours(26)


@given(HOURS, HOURS, BLACKOUTS)
def test_the_clock_shows_what_it_was_set_to(start: timedelta, duration: timedelta, blackouts: Blackouts) -> None:
    end = add_open_time(MONDAY + start, duration, blackouts)
    assert open_time_between(MONDAY + start, end, blackouts) == duration
    if duration:
        assert open_time_between(MONDAY + start, end - hours(0.5), blackouts) == duration - hours(0.5)


@given(HOURS, HOURS, BLACKOUTS)
def test_time_is_counted_as_by_looking_every_hour(start: timedelta, long: timedelta, blackouts: Blackouts) -> None:
    marks = [MONDAY + start + hours(at + 0.5) for at in range(int(long / hours(1)))]
    bright = sum(not any(one.from_at <= mark < one.until_at for one in blackouts) for mark in marks)
    assert open_time_between(MONDAY + start, MONDAY + start + long, blackouts) == hours(bright)


@given(BLACKOUTS, HOURS, HOURS)
def test_more_time_never_ends_earlier(blackouts: Blackouts, less: timedelta, more: timedelta) -> None:
    less, more = sorted((less, more))
    assert add_open_time(MONDAY, less, blackouts) <= add_open_time(MONDAY, more, blackouts)


def test_what_is_left_of_a_stretch_goes_around_the_blackouts() -> None:
    blackouts = (dark(hours(2), hours(4)), dark(hours(9), hours(20)))
    stretches = [(MONDAY, MONDAY + hours(10)), (MONDAY + hours(12), MONDAY + hours(22))]
    assert list(without_blackouts(stretches, blackouts)) == [
        (MONDAY, MONDAY + hours(2)),
        (MONDAY + hours(4), MONDAY + hours(9)),
        (MONDAY + hours(20), MONDAY + hours(22)),
    ]


def test_a_blackout_ends_after_it_begins() -> None:
    with pytest.raises(AskingInvalid):
        dark(hours(2), hours(2))


def test_a_blackout_of_an_audience_stops_clocks_too() -> None:
    blackout = Blackout(MONDAY, MONDAY + hours(5), audience={"field": "country", "eq": "HU"})
    assert add_open_time(MONDAY, hours(1), (blackout,)) == MONDAY + hours(6)


def test_a_stored_blackout_is_read_again() -> None:
    stored = {"from": "2026-12-24T00:00:00+01:00", "until": "2027-01-02T00:00:00Z"}
    blackout = Blackout.from_json(stored, audience="everybody in Hungary")
    assert blackout.from_at == datetime(2026, 12, 23, 23, tzinfo=UTC)
    assert Blackout.from_json(blackout.to_json(), audience=blackout.audience) == blackout
