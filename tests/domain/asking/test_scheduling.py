from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking import Asking
from app.domain.asking.rhythm import Wave
from app.domain.asking.scheduling import Appointment, Turn, schedule, variant_for
from app.domain.asking.sending_window import is_open

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
CAMPAIGN = UUID("01939b2a-0000-7000-8000-000000000001")
NOW = datetime(2026, 6, 3, 6, tzinfo=UTC)  # a Wednesday
MIDWINTER = datetime(2026, 1, 1, tzinfo=UTC)
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "18:00"}
PEOPLE = [UUID(int=at) for at in range(900)]

ONCE = {"kind": "once"}
EVENLY = {"kind": "every", "count": 1, "unit": "months", "spread": "evenly"}
DELIVERED = {"kind": "touchpoint", "name": "delivered", "delay_minutes": 60, "max_lateness_hours": 48}
EXAM = {"kind": "date_property", "property": "exam_on", "offset_days": 21, "max_lateness_days": 7}
AFTER = {"kind": "after_answer", "days": 90}

WINDOWS = st.sampled_from(
    [None, OFFICE, {"from": "22:00", "until": "06:00"}, {"days": ["sat"], "from": "10:00", "until": "10:30"}]
)
DARK = [{"from": "2026-06-03T00:00:00+00:00", "until": "2026-06-08T12:00:00+00:00"}]


def asking(trigger: dict[str, Any], **fields: Any) -> Asking:
    return Asking.from_json({"trigger": trigger, **fields})


def turn(person: UUID = PEOPLE[0], zone: ZoneInfo = BERLIN, **about: Any) -> Turn:
    return Turn(CAMPAIGN, person, zone, **about)


def wave(days: float = 14) -> Wave:
    return Wave(1, NOW, NOW + timedelta(days=days))


def all_due(asked: Asking, *, best: int | None = None, **about: Any) -> list[datetime]:
    appointments = [schedule(asked, turn(person, **about), best=best, now=NOW) for person in PEOPLE]
    assert all(appointment.due_at is not None for appointment in appointments)
    return [appointment.due_at for appointment in appointments if appointment.due_at is not None]


@st.composite
def turns(draw: st.DrawFn) -> tuple[Asking, Turn]:
    trigger = draw(st.sampled_from([ONCE, EVENLY, DELIVERED, EXAM, AFTER]))
    asked = asking(trigger, window=draw(WINDOWS), blackouts=draw(st.sampled_from([[], DARK])))
    about = {
        "wave": wave(draw(st.sampled_from([1, 14, 30]))) if trigger in (ONCE, EVENLY) else None,
        "occurred_at": NOW + timedelta(hours=draw(st.integers(-60, 0))) if trigger is DELIVERED else None,
        "day": date(2026, 5, 1) + timedelta(days=draw(st.integers(0, 30))) if trigger is EXAM else None,
    }
    return asked, turn(draw(st.uuids()), draw(st.sampled_from([BERLIN, NEW_YORK])), **about)


@given(turns(), st.sampled_from([None, 10, 23]))
def test_whoever_is_written_to_is_at_an_open_hour_and_in_time(
    given_turn: tuple[Asking, Turn], best: int | None
) -> None:
    asked, whose = given_turn
    appointment = schedule(asked, whose, best=best, now=NOW)
    if appointment.due_at is not None:
        assert appointment.due_at >= NOW
        assert appointment.latest_at is None or appointment.due_at < appointment.latest_at
        assert is_open(appointment.due_at, zone=whose.zone, window=asked.window, blackouts=asked.blackouts)
    assert schedule(asked, whose, best=best, now=NOW) == appointment


def test_a_wave_asks_everybody_at_once_unless_it_is_to_be_spread() -> None:
    assert set(all_due(asking(ONCE), wave=wave())) == {NOW}


def test_a_wave_is_spread_over_the_open_hours_of_its_first_day() -> None:
    due = [at.astimezone(BERLIN) for at in all_due(asking(ONCE, window=OFFICE, spread_days=1), wave=wave())]
    assert {at.date() for at in due} == {date(2026, 6, 3)}
    assert set(Counter(at.hour for at in due)) == set(range(9, 18))
    assert max(Counter(at.hour for at in due).values()) < 2 * len(PEOPLE) / 9


def test_most_are_written_to_at_the_best_hour_and_some_try_the_others() -> None:
    hours = Counter(
        at.astimezone(BERLIN).hour for at in all_due(asking(ONCE, window=OFFICE, spread_days=1), best=10, wave=wave())
    )
    assert 0.75 < hours[10] / len(PEOPLE) < 0.9
    assert len(hours) == 9


def test_an_even_spread_gives_everybody_their_own_moment_of_the_period() -> None:
    month = Wave(1, NOW, NOW + timedelta(days=30))
    days = Counter((at - NOW).days for at in all_due(asking(EVENLY), wave=month))
    assert set(days) == set(range(30))


def test_whose_own_moment_comes_when_no_hour_is_open_any_more_is_asked_before() -> None:
    week = Wave(1, NOW, NOW + timedelta(days=7))  # which ends on a Wednesday, before the window opens
    due = all_due(asking({**EVENLY, "unit": "weeks"}, window={"days": ["thu", "fri"], "from": "09:00"}), wave=week)
    assert {at.astimezone(BERLIN).weekday() for at in due} == {3, 4}
    hours = Counter(at.replace(minute=0, second=0, microsecond=0) for at in due if at != min(due))
    assert max(hours.values()) < len(PEOPLE) / 8  # not all of them together


def test_a_moment_that_has_passed_is_now() -> None:
    late = Wave(1, NOW - timedelta(days=29), NOW + timedelta(days=1))
    assert min(all_due(asking(EVENLY), wave=late)) == NOW


def test_a_touchpoint_is_asked_about_after_its_delay_and_not_when_it_is_too_late() -> None:
    soon = schedule(asking(DELIVERED), turn(occurred_at=NOW), now=NOW)
    assert soon == Appointment(NOW + timedelta(hours=1), NOW + timedelta(hours=49))
    too_late = schedule(asking(DELIVERED), turn(occurred_at=NOW - timedelta(hours=50)), now=NOW)
    assert too_late.due_at is None


LONG_WEEKEND = {"days": ["mon", "tue", "wed", "thu"], "from": "09:00", "until": "17:00"}
WEEK = range(7 * 24)


def test_a_touchpoint_is_not_late_while_it_waits_for_its_window() -> None:
    asked = asking({**DELIVERED, "max_lateness_hours": 1}, window=LONG_WEEKEND)
    thursday = datetime(2026, 6, 4, 18, tzinfo=BERLIN)
    monday = datetime(2026, 6, 8, 9, tzinfo=BERLIN)
    waiting = schedule(asked, turn(occurred_at=thursday), now=thursday)
    assert waiting == Appointment(monday, monday + timedelta(hours=1))
    assert schedule(asked, turn(occurred_at=thursday), now=monday + timedelta(hours=1)).due_at is None


def test_whenever_something_happens_it_is_asked_about() -> None:
    asked = asking(DELIVERED, window=LONG_WEEKEND)
    for hours in WEEK:
        at = NOW + timedelta(hours=hours)
        for zone in (BERLIN, NEW_YORK):
            assert schedule(asked, turn(occurred_at=at, zone=zone), now=at).due_at is not None, at


def test_what_falls_into_a_blackout_may_become_late() -> None:
    silent = asking(DELIVERED, window=LONG_WEEKEND, blackouts=DARK)
    assert schedule(silent, turn(occurred_at=NOW), now=NOW).due_at is None


def test_a_date_is_asked_about_on_the_persons_own_day() -> None:
    appointment = schedule(
        asking(EXAM, window={"from": "09:00", "until": "12:00"}), turn(zone=NEW_YORK, day=date(2026, 5, 20)), now=NOW
    )
    assert appointment.due_at == datetime.combine(date(2026, 6, 10), time(9), tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("at", "window", "expected"),
    [
        (None, None, time(9)),  # nobody's mail rings at midnight
        (None, {"days": ["mon", "tue", "wed", "thu", "fri"]}, time(9)),
        (None, {"from": "06:30", "until": "08:00"}, time(6, 30)),
        (None, {"from": "22:00", "until": "06:00"}, time(22)),
        ("14:15", None, time(14, 15)),
        ("14:15", {"from": "08:00", "until": "20:00"}, time(14, 15)),
        ("07:00", {"from": "08:00", "until": "20:00"}, time(8)),
        ("00:00", None, time(0)),
    ],
)
def test_a_date_is_asked_about_at_an_hour_of_the_persons_day(
    at: str | None, window: dict[str, Any] | None, expected: time
) -> None:
    asked = asking({**EXAM, "at": at}, window=window)
    for zone in (BERLIN, NEW_YORK):
        slot = schedule(asked, turn(zone=zone, day=date(2026, 5, 20)), now=NOW)
        assert slot.due_at == datetime.combine(date(2026, 6, 10), expected, tzinfo=zone)


def test_a_date_keeps_its_hour_when_clocks_change() -> None:
    """On 8 March clocks in New York skip two o'clock, on 1 November one o'clock comes twice."""
    of_the_day = {"kind": "date_property", "property": "exam_on"}
    due = {
        (at, day): schedule(asking({**of_the_day, "at": at}), turn(zone=NEW_YORK, day=day), now=MIDWINTER).due_at
        for at in ("01:30", "02:30", "09:00")
        for day in (date(2026, 3, 7), date(2026, 3, 8), date(2026, 11, 1))
    }
    assert due["09:00", date(2026, 3, 7)] == datetime(2026, 3, 7, 14, tzinfo=UTC)
    assert due["09:00", date(2026, 3, 8)] == datetime(2026, 3, 8, 13, tzinfo=UTC)
    assert due["02:30", date(2026, 3, 8)] == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # half past three
    assert due["01:30", date(2026, 11, 1)] == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # the first of two


def test_a_date_is_late_by_the_persons_own_clock() -> None:
    """Clocks in New York are put forward on 8 March, and back on 1 November."""
    asked = asking({"kind": "date_property", "property": "exam_on", "max_lateness_days": 6})
    for day in (date(2026, 3, 5), date(2026, 6, 1), date(2026, 10, 29)):
        appointment = schedule(asked, turn(zone=NEW_YORK, day=day), now=MIDWINTER)
        assert appointment.latest_at == datetime.combine(day + timedelta(days=6), time(9), tzinfo=NEW_YORK)


def test_the_best_hour_of_a_date_is_not_the_day_after() -> None:
    asked = asking(EXAM, window={"best_hour": True})
    days = Counter(at.astimezone(BERLIN).date() for at in all_due(asked, best=7, day=date(2026, 5, 20)))
    assert set(days) == {date(2026, 6, 10)}


def test_nobody_loses_their_turn_to_the_best_hour() -> None:
    friday = datetime(2026, 6, 5, 15, tzinfo=BERLIN)
    day = Wave(1, friday, friday + timedelta(days=1))
    due = [schedule(asking(ONCE, window=OFFICE), turn(one, wave=day), best=10, now=friday).due_at for one in PEOPLE]
    assert set(due) == {friday}


def test_where_no_hour_opens_in_time_nobody_is_written_to() -> None:
    saturday = {"days": ["sat"], "from": "10:00", "until": "11:00"}
    appointment = schedule(asking(ONCE, window=saturday), turn(wave=wave(days=2)), now=NOW)
    assert appointment.due_at is None


def test_whoever_has_a_variant_keeps_it() -> None:
    variants = [{"key": "a", "weight": 3}, {"key": "b", "weight": 1}]
    asked = asking(ONCE, variants=variants)
    drawn = Counter(variant_for(asked, CAMPAIGN, person) for person in PEOPLE)
    assert 0.7 < drawn["a"] / len(PEOPLE) < 0.8
    assert drawn["a"] + drawn["b"] == len(PEOPLE)
    assert variant_for(asking(ONCE), CAMPAIGN, PEOPLE[0]) is None
