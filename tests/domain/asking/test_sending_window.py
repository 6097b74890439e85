from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.blackouts import Blackout, Blackouts
from app.domain.asking.sending_window import (
    ALWAYS,
    WEEK,
    SendingWindow,
    Weekday,
    is_open,
    next_open,
    open_moment,
    open_spans,
    open_until,
)
from app.domain.audience.stable_hash import fraction_of
from app.domain.scores.period import ONE_DAY

BERLIN, APIA, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia"), ZoneInfo("Australia/Lord_Howe")
ST_JOHNS = ZoneInfo("America/St_Johns")  # whose clocks went back at a minute past midnight until 2011
WORKDAYS = frozenset(WEEK[:5])
OFFICE = SendingWindow(WORKDAYS, time(9), time(18))
NIGHT = SendingWindow(frozenset({Weekday.FRIDAY}), time(22), time(6))
MINUTE = timedelta(minutes=1)

ZONES = st.sampled_from(sorted(name for name in available_timezones() if name != "localtime")).map(ZoneInfo)
QUARTERS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
WINDOWS = st.builds(
    SendingWindow,
    st.frozensets(st.sampled_from(Weekday), min_size=1),
    QUARTERS,
    QUARTERS,
    st.frozensets(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=3),
)
INSTANTS = st.integers(0, 40 * 365 * 24 * 4).map(lambda at: datetime(2005, 1, 1, tzinfo=UTC) + at * 15 * MINUTE)
# Within days of a change of clocks somewhere.
AROUND_A_CHANGE = st.builds(
    lambda start, at: start + at * 15 * MINUTE,
    st.sampled_from(
        [
            datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC),
            datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC), datetime(2011, 12, 29, tzinfo=UTC),
            datetime(2010, 11, 6, tzinfo=UTC),
        ]
    ),
    st.integers(0, 4 * 72),
)  # fmt: skip


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc, arg-type]


def dark(since: datetime, until: datetime) -> Blackout:
    return Blackout(since.astimezone(UTC), until.astimezone(UTC))


def test_at_night_the_next_opening_is_in_the_morning() -> None:
    assert next_open(berlin(2026, 6, 3, 22, 0), zone=BERLIN, window=OFFICE) == berlin(2026, 6, 4, 9, 0)


def test_on_friday_evening_the_next_opening_is_on_monday() -> None:
    assert next_open(berlin(2026, 6, 5, 18, 0), zone=BERLIN, window=OFFICE) == berlin(2026, 6, 8, 9, 0)


def test_inside_the_window_it_is_now() -> None:
    now = berlin(2026, 6, 3, 17, 59)
    assert next_open(now, zone=BERLIN, window=OFFICE) == now
    assert is_open(now, zone=BERLIN, window=OFFICE)
    assert not is_open(now + MINUTE, zone=BERLIN, window=OFFICE)


def test_the_clock_is_that_of_the_person() -> None:
    noon_in_berlin = berlin(2026, 6, 3, 12, 0)
    assert is_open(noon_in_berlin, zone=BERLIN, window=OFFICE)
    assert not is_open(noon_in_berlin, zone=ZoneInfo("America/New_York"), window=OFFICE)


def test_holidays_are_closed() -> None:
    window = SendingWindow(WORKDAYS, time(9), time(18), frozenset({date(2026, 12, 25), date(2026, 12, 28)}))
    assert next_open(berlin(2026, 12, 24, 20, 0), zone=BERLIN, window=window) == berlin(2026, 12, 29, 9, 0)


def test_a_night_belongs_to_the_evening_on_which_it_began() -> None:
    assert is_open(berlin(2026, 6, 6, 5, 59), zone=BERLIN, window=NIGHT)  # Saturday morning after Friday
    assert not is_open(berlin(2026, 6, 5, 5, 59), zone=BERLIN, window=NIGHT)
    assert next_open(berlin(2026, 6, 6, 6, 0), zone=BERLIN, window=NIGHT) == berlin(2026, 6, 12, 22, 0)


def test_a_night_that_began_on_a_holiday_is_closed_until_morning() -> None:
    window = SendingWindow(frozenset(WEEK), time(22), time(6), frozenset({date(2026, 6, 5)}))
    assert not is_open(berlin(2026, 6, 6, 2, 0), zone=BERLIN, window=window)
    assert is_open(berlin(2026, 6, 5, 2, 0), zone=BERLIN, window=window)


def test_equal_times_are_the_whole_day() -> None:
    start, end = berlin(2026, 6, 1), berlin(2026, 6, 3)
    assert (
        sum((until - since for since, until in open_spans(start, end, zone=BERLIN)), start=timedelta(0)) == end - start
    )
    saturday = SendingWindow(frozenset({Weekday.SATURDAY}))
    assert next_open(berlin(2026, 6, 7), zone=BERLIN, window=saturday) == berlin(2026, 6, 13)


def test_an_hour_that_the_clock_skips_is_lost_to_the_window() -> None:
    early = SendingWindow(opens_at=time(2, 30), closes_at=time(4))
    spring = berlin(2026, 3, 29, 0, 0)
    assert open_for(spring, early) == timedelta(hours=1)  # from 3, which is when 2 would have been
    assert next_open(spring, zone=BERLIN, window=early) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_window_is_open_in_both_of_two_equal_hours() -> None:
    early = SendingWindow(opens_at=time(2), closes_at=time(2, 30))
    assert open_for(berlin(2026, 10, 25, 0, 0), early) == timedelta(hours=1)
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45 for the first time
    assert next_open(between, zone=BERLIN, window=early) == datetime(2026, 10, 25, 1, tzinfo=UTC)


def test_a_working_day_is_as_long_as_ever_when_clocks_change_at_night() -> None:
    sunday = SendingWindow(opens_at=time(9), closes_at=time(18))
    assert open_for(berlin(2026, 3, 29), sunday) == open_for(berlin(2026, 10, 25), sunday) == timedelta(hours=9)


def open_for(start: datetime, window: SendingWindow) -> timedelta:
    spans = open_spans(start, start + timedelta(days=1), zone=BERLIN, window=window)
    return sum((end - since for since, end in spans), start=timedelta(0))


def test_a_blackout_closes_the_window() -> None:
    blackouts = (dark(berlin(2026, 6, 3, 8, 0), berlin(2026, 6, 4, 11, 0)),)
    assert next_open(berlin(2026, 6, 3, 10, 0), zone=BERLIN, window=OFFICE, blackouts=blackouts) == berlin(
        2026, 6, 4, 11
    )
    assert not is_open(berlin(2026, 6, 3, 10, 0), zone=BERLIN, window=OFFICE, blackouts=blackouts)
    assert is_open(berlin(2026, 6, 4, 11, 0), zone=BERLIN, window=OFFICE, blackouts=blackouts)


def test_it_closes_with_its_day_or_a_blackout() -> None:
    noon, six, one = berlin(2026, 11, 23, 12), berlin(2026, 11, 23, 18), berlin(2026, 11, 23, 13)
    assert open_until(noon, zone=BERLIN, window=OFFICE, within=ONE_DAY) == six
    lunch = (dark(one, six),)
    assert open_until(noon, zone=BERLIN, window=OFFICE, blackouts=lunch, within=ONE_DAY) == one
    assert open_until(noon, zone=BERLIN, within=ONE_DAY) == noon + ONE_DAY  # days that touch


def test_a_window_that_does_not_open_in_time_never_does() -> None:
    now = berlin(2026, 6, 5, 19, 0)
    assert next_open(now, zone=BERLIN, window=OFFICE, within=timedelta(days=2)) is None
    years = (dark(now - timedelta(days=1), now + timedelta(days=4000)),)
    assert next_open(now, zone=BERLIN, window=OFFICE, blackouts=years) is None
    assert open_moment(0.5, starts_at=now, ends_at=now + timedelta(days=2), zone=BERLIN, window=OFFICE) is None


@given(
    WINDOWS,
    st.one_of(AROUND_A_CHANGE, INSTANTS),
    st.one_of(ZONES, st.sampled_from([BERLIN, LORD_HOWE, APIA, ST_JOHNS])),
)
@example(SendingWindow(opens_at=time(23, 15), closes_at=time(0, 30)), datetime(2010, 11, 7, tzinfo=UTC), ST_JOHNS)
@example(SendingWindow(opens_at=time(1, 45), closes_at=time(2)), datetime(2026, 4, 4, 12, tzinfo=UTC), LORD_HOWE)
@example(SendingWindow(frozenset({Weekday.FRIDAY})), datetime(2011, 12, 29, 12, tzinfo=UTC), APIA)
def test_spans_are_what_watching_the_clock_shows(window: SendingWindow, start: datetime, zone: ZoneInfo) -> None:
    spans = list(open_spans(start, start + timedelta(days=3), zone=zone, window=window))
    for minutes in range(3 * 24 * 60):
        at = start + minutes * MINUTE
        assert window.admits(at.astimezone(zone)) == any(since <= at < until for since, until in spans), at
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(WINDOWS, AROUND_A_CHANGE, ZONES, st.integers(0, 100), st.integers(1, 100))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    window: SendingWindow, at: datetime, zone: ZoneInfo, since: int, long: int
) -> None:
    blackouts = (Blackout(at + timedelta(hours=since), at + timedelta(hours=since + long)),)
    opening = next_open(at, zone=zone, window=window, blackouts=blackouts)
    assert opening is not None
    assert opening >= at
    assert is_open(opening, zone=zone, window=window, blackouts=blackouts)
    assert next_open(opening, zone=zone, window=window, blackouts=blackouts) == opening
    quarters = min(int((opening - at) / (15 * MINUTE)), 2000)
    closed = [at + step * 15 * MINUTE for step in range(quarters)]
    assert not any(is_open(moment, zone=zone, window=window, blackouts=blackouts) for moment in closed)


@given(WINDOWS, AROUND_A_CHANGE, ZONES)
def test_it_is_closed_for_no_longer_than_it_says(window: SendingWindow, start: datetime, zone: ZoneInfo) -> None:
    opens_at = next_open(start, zone=zone, window=window)
    assert opens_at is not None
    assert opens_at - start <= window.longest_closed


@given(WINDOWS, AROUND_A_CHANGE, ZONES, st.floats(0, 1, exclude_max=True), st.booleans())
def test_an_open_moment_is_open(
    window: SendingWindow, start: datetime, zone: ZoneInfo, share: float, is_dark: bool
) -> None:
    blackouts: Blackouts = (Blackout(start, start + timedelta(hours=30)),) if is_dark else ()
    end = start + timedelta(days=14)
    moment = open_moment(share, starts_at=start, ends_at=end, zone=zone, window=window, blackouts=blackouts)
    if moment is None:
        assert next_open(start, zone=zone, window=window, blackouts=blackouts, within=end - start) is None
    else:
        assert start <= moment < end
        assert is_open(moment, zone=zone, window=window, blackouts=blackouts)


def test_people_are_spread_over_the_open_hours_and_do_not_wait_for_the_morning_together() -> None:
    start, end = berlin(2026, 6, 1), berlin(2026, 6, 8)
    moments = [
        open_moment(fraction_of("wave", UUID(int=at)), starts_at=start, ends_at=end, zone=BERLIN, window=OFFICE)
        for at in range(4500)
    ]
    hours = [(moment.astimezone(BERLIN).weekday(), moment.astimezone(BERLIN).hour) for moment in moments if moment]
    assert {hour for _, hour in hours} == set(range(9, 18))
    assert all(60 <= hours.count(slot) <= 145 for slot in set(hours))
    assert len(set(hours)) == 45


def test_a_window_is_narrowed_to_its_best_hour() -> None:
    window = SendingWindow(WORKDAYS, time(9, 30), time(18))
    assert (window.narrowed_to(14).opens_at, window.narrowed_to(14).closes_at) == (time(14), time(15))
    assert (window.narrowed_to(9).opens_at, window.narrowed_to(9).closes_at) == (time(9, 30), time(10))
    assert (ALWAYS.narrowed_to(23).opens_at, ALWAYS.narrowed_to(23).closes_at) == (time(23), time(0))
    assert window.narrowed_to(8) == window.narrowed_to(18) == window
    assert NIGHT.narrowed_to(2) == NIGHT


@given(WINDOWS, st.integers(0, 23), AROUND_A_CHANGE)
def test_a_narrowed_window_is_never_open_when_the_whole_one_is_not(
    window: SendingWindow, hour: int, at: datetime
) -> None:
    narrow = window.narrowed_to(hour)
    local = at.astimezone(BERLIN)
    assert window.admits(local) or not narrow.admits(local)
    if window.admits(local) and local.hour == hour:
        assert narrow.admits(local)


def test_a_stored_window_is_read_again() -> None:
    stored = {"days": ["mon", "fri"], "from": "09:00", "until": "24:00", "holidays": ["2026-12-25"], "best_hour": True}
    window = SendingWindow.from_json(stored)
    assert window == SendingWindow(
        frozenset({Weekday.MONDAY, Weekday.FRIDAY}), time(9), time(0), frozenset({date(2026, 12, 25)}), True
    )
    assert SendingWindow.from_json(window.to_json()) == window
    assert SendingWindow.from_json({}) == ALWAYS


@pytest.mark.parametrize(("content", "pointer"), [({"from": "25:00"}, "from"), ({"until": "nine"}, "until")])
def test_a_time_that_is_none_is_refused(content: dict[str, str], pointer: str) -> None:
    with pytest.raises(AskingInvalid) as refused:
        SendingWindow.from_json(content)
    assert refused.value.pointer == f"/asking/window/{pointer}"


def test_a_window_has_a_day() -> None:
    with pytest.raises(AskingInvalid):
        SendingWindow(frozenset())
