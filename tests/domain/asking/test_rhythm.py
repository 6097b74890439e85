from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.rhythm import (
    AfterAnswer,
    Every,
    Once,
    Rhythm,
    Spread,
    Unit,
    Wave,
    due_after_answer,
    due_in,
    is_same_round,
    local_time_later,
    next_wave,
    rhythm_from_json,
    wave_at,
)

BERLIN, NEW_YORK, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")
ZONES = st.sampled_from(sorted(name for name in available_timezones() if name != "localtime")).map(ZoneInfo)
BEGINNING, SPAN = datetime(2005, 1, 1, tzinfo=UTC), timedelta(days=14_000)
INSTANTS = st.timedeltas(timedelta(0), SPAN).map(lambda since: BEGINNING + since)
RHYTHMS = st.builds(Every, st.integers(1, 100), st.sampled_from(Unit))
FURTHER = st.timedeltas(timedelta(0), timedelta(days=2000))


def starts(rhythm: Every, anchor: datetime, zone: ZoneInfo, waves: int) -> list[datetime]:
    """Local, one after the other as a planner would meet them."""
    found = [wave_at(rhythm, anchor, anchor=anchor, zone=zone)]
    while len(found) < waves:
        assert found[-1] is not None
        found.append(next_wave(rhythm, found[-1].starts_at, anchor=anchor, zone=zone))
    return [wave.starts_at.astimezone(zone) for wave in found if wave is not None]


def test_months_are_counted_from_the_anchor_and_not_from_the_wave_before() -> None:
    anchor = datetime(2026, 1, 31, 10, tzinfo=BERLIN)
    found = starts(Every(1, Unit.MONTHS), anchor, BERLIN, 14)
    assert [local.date() for local in found] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31),
        date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31),
        date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28),
    ]  # fmt: skip
    assert {local.time() for local in found} == {time(10)}


def test_the_thirty_first_of_january_and_a_month_is_the_twenty_ninth_in_a_leap_year() -> None:
    anchor = datetime(2028, 1, 31, 10, tzinfo=BERLIN)
    assert starts(Every(1, Unit.MONTHS), anchor, BERLIN, 2)[1].date() == date(2028, 2, 29)


def test_a_time_of_day_stays_what_it_is_when_the_clocks_change() -> None:
    anchor = datetime(2026, 3, 23, 9, tzinfo=BERLIN)
    first, second = starts(Every(1, Unit.WEEKS), anchor, BERLIN, 2)
    assert (first.hour, second.hour) == (9, 9)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(days=7, hours=-1)


def test_a_time_that_the_clock_skips_moves_forward_for_that_day_only() -> None:
    anchor = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN)
    found = starts(Every(1, Unit.DAYS), anchor, BERLIN, 3)
    assert [local.time() for local in found] == [time(2, 30), time(3, 30), time(2, 30)]


def test_of_a_time_that_comes_twice_it_is_the_first() -> None:
    anchor = datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN)
    sunday = starts(Every(1, Unit.DAYS), anchor, BERLIN, 2)[1]
    assert (sunday.date(), sunday.time(), sunday.fold) == (date(2026, 10, 25), time(2, 30), 0)


def test_a_campaign_that_began_in_the_second_of_two_equal_hours_began_when_it_did() -> None:
    anchor = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin for the second time
    wave = wave_at(Every(1, Unit.DAYS), anchor, anchor=anchor, zone=BERLIN)
    assert wave == Wave(1, anchor, datetime(2026, 10, 26, 1, 30, tzinfo=UTC))
    assert wave_at(Every(1, Unit.DAYS), anchor - timedelta(minutes=30), anchor=anchor, zone=BERLIN) is None


def test_a_day_that_a_country_left_out_has_no_wave_of_its_own() -> None:
    # Samoa went from 29 to 31 December 2011: the waves of the 30th and of the 31st would begin together.
    anchor = datetime(2011, 12, 28, 10, tzinfo=APIA)
    found = starts(Every(1, Unit.DAYS), anchor, APIA, 4)
    assert [local.day for local in found] == [28, 29, 31, 1]
    assert wave_at(Every(1, Unit.DAYS), found[2], anchor=anchor, zone=APIA) == Wave(
        4, found[2].astimezone(UTC), found[3].astimezone(UTC)
    )


@given(RHYTHMS, INSTANTS, FURTHER, ZONES)
def test_an_instant_lies_in_the_wave_found_for_it(
    rhythm: Every, anchor: datetime, later: timedelta, zone: ZoneInfo
) -> None:
    wave = wave_at(rhythm, anchor + later, anchor=anchor, zone=zone)
    assert wave is not None
    assert wave.ends_at is not None
    assert wave.number >= 1
    assert anchor <= wave.starts_at <= anchor + later < wave.ends_at
    assert wave_at(rhythm, wave.starts_at, anchor=anchor, zone=zone) == wave


@given(RHYTHMS, INSTANTS, ZONES)
def test_waves_follow_one_another_without_a_gap(rhythm: Every, anchor: datetime, zone: ZoneInfo) -> None:
    waves = [wave_at(rhythm, anchor, anchor=anchor, zone=zone)]
    for _ in range(8):
        assert waves[-1] is not None
        waves.append(next_wave(rhythm, waves[-1].starts_at, anchor=anchor, zone=zone))
    for wave, following in pairwise(waves):
        assert wave is not None
        assert following is not None
        assert following.starts_at == wave.ends_at
        assert following.number > wave.number


@given(RHYTHMS, INSTANTS, FURTHER, ZONES)
def test_the_next_wave_comes_after_and_none_between(
    rhythm: Every, anchor: datetime, later: timedelta, zone: ZoneInfo
) -> None:
    instant = anchor + later - timedelta(days=500)
    following = next_wave(rhythm, instant, anchor=anchor, zone=zone)
    assert following is not None
    assert following.starts_at > instant
    before = wave_at(rhythm, following.starts_at - timedelta(microseconds=1), anchor=anchor, zone=zone)
    assert (before is None) == (following.number == 1)
    if before is not None:
        assert before.starts_at <= instant
        assert wave_at(rhythm, instant, anchor=anchor, zone=zone) == before


@given(RHYTHMS, INSTANTS, ZONES, st.integers(0, 60))
def test_every_wave_begins_at_the_anchors_time_of_day(rhythm: Every, anchor: datetime, zone: ZoneInfo, n: int) -> None:
    wave = wave_at(rhythm, anchor, anchor=anchor, zone=zone)
    for _ in range(n):
        assert wave is not None
        wave = next_wave(rhythm, wave.starts_at, anchor=anchor, zone=zone)
    assert wave is not None
    begins, began = wave.starts_at.astimezone(zone), anchor.astimezone(zone)
    days = (begins.date(), begins.date() - timedelta(days=1))  # a skip may end after midnight
    assert begins.time() == began.time() or any(is_skipped(datetime.combine(day, began.time()), zone) for day in days)


def is_skipped(local: datetime, zone: ZoneInfo) -> bool:
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local


def test_once_is_one_wave_without_an_end() -> None:
    anchor = datetime(2026, 5, 4, 9, tzinfo=BERLIN)
    wave = Wave(1, datetime(2026, 5, 4, 7, tzinfo=UTC), None)
    assert next_wave(Once(), anchor - timedelta(days=1), anchor=anchor, zone=BERLIN) == wave
    assert wave_at(Once(), anchor + timedelta(days=900), anchor=anchor, zone=BERLIN) == wave
    assert next_wave(Once(), anchor, anchor=anchor, zone=BERLIN) is None
    assert wave_at(Once(), anchor - timedelta(seconds=1), anchor=anchor, zone=BERLIN) is None


@given(RHYTHMS, INSTANTS, st.uuids(), ZONES)
def test_everybody_has_their_own_moment_in_every_period(
    rhythm: Every, anchor: datetime, person: UUID, zone: ZoneInfo
) -> None:
    wave = wave_at(rhythm, anchor, anchor=anchor, zone=zone)
    assert wave is not None
    assert wave.ends_at is not None
    following = next_wave(rhythm, anchor, anchor=anchor, zone=zone)
    assert following is not None
    first, second = (due_in(each, seed="campaign", person=person) for each in (wave, following))
    assert wave.starts_at <= first < wave.ends_at
    assert following.starts_at <= second
    # A period apart, as far as months are equally long and days have 24 hours.
    assert abs((second - first) - (wave.ends_at - wave.starts_at)) <= timedelta(days=4)


def test_moments_are_spread_evenly_over_the_period() -> None:
    wave = Wave(1, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC))
    days = [due_in(wave, seed="campaign", person=UUID(int=at)).day for at in range(3000)]
    assert all(60 <= days.count(day) <= 140 for day in range(1, 31))


def test_who_answered_is_asked_again_so_many_days_later_at_the_same_time_of_day() -> None:
    anchor = datetime(2026, 1, 1, 9, tzinfo=BERLIN)
    answered_at = datetime(2026, 2, 1, 14, 5, tzinfo=BERLIN)
    due = due_after_answer(
        AfterAnswer(90), anchor=anchor, zone=BERLIN, answered_at=answered_at, asked_at=answered_at - timedelta(days=2)
    )
    assert due.astimezone(BERLIN) == datetime(2026, 5, 2, 14, 5, tzinfo=BERLIN)


def test_who_never_answered_waits_as_long_from_being_asked() -> None:
    anchor, asked_at = datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 2, 1, 9, tzinfo=UTC)
    rhythm = AfterAnswer(30)
    assert due_after_answer(rhythm, anchor=anchor, zone=BERLIN, answered_at=None, asked_at=None) == anchor
    assert due_after_answer(
        rhythm, anchor=anchor, zone=BERLIN, answered_at=anchor - timedelta(days=900), asked_at=asked_at
    ) == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_an_answer_from_before_the_campaign_does_not_make_anybody_due_before_it() -> None:
    anchor = datetime(2026, 1, 1, 9, tzinfo=UTC)
    long_ago = anchor - timedelta(days=400)
    assert due_after_answer(AfterAnswer(90), anchor=anchor, zone=BERLIN, answered_at=long_ago, asked_at=None) == anchor


def test_days_later_keeps_the_time_of_day() -> None:
    before = datetime(2026, 10, 24, 18, tzinfo=BERLIN)
    assert local_time_later(before, timedelta(days=1), zone=BERLIN) == datetime(2026, 10, 25, 17, tzinfo=UTC)


@pytest.mark.parametrize("rhythm", [Once(), Every(3, Unit.MONTHS, Spread.EVENLY), Every(1, Unit.DAYS), AfterAnswer(90)])
def test_what_is_stored_is_read_again(rhythm: Rhythm) -> None:
    assert rhythm_from_json(rhythm.to_json()) == rhythm


def test_a_rhythm_without_a_spread_comes_in_waves() -> None:
    assert rhythm_from_json({"kind": "every", "count": 2, "unit": "weeks"}) == Every(2, Unit.WEEKS, Spread.WAVE)


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"kind": "every", "count": 0, "unit": "days"}, "/asking/trigger/count"),
        ({"kind": "every", "count": 121, "unit": "months"}, "/asking/trigger/count"),
        ({"kind": "after_answer", "days": 0}, "/asking/trigger/days"),
        ({"kind": "full_moon"}, "/asking/trigger/kind"),
    ],
)
def test_absurd_rhythms_are_refused(content: dict[str, object], pointer: str) -> None:
    with pytest.raises(AskingInvalid) as refused:
        rhythm_from_json(content)
    assert refused.value.pointer == pointer


@given(RHYTHMS, INSTANTS.filter(lambda at: at.year >= 2012), ZONES, ZONES, FURTHER)  # no zone loses a day since
def test_another_time_zone_makes_the_same_round_of_a_start(
    rhythm: Every, anchor: datetime, one: ZoneInfo, other: ZoneInfo, since: timedelta
) -> None:
    wave = wave_at(rhythm, anchor + since, anchor=anchor, zone=one)
    assert wave is not None
    assert wave.ends_at is not None
    assert not is_same_round(rhythm, wave.starts_at, wave.ends_at)
    nearby = [find(rhythm, wave.starts_at, anchor=anchor, zone=other) for find in (wave_at, next_wave)]
    (same,) = (found for found in nearby if found is not None and found.number == wave.number)
    assert is_same_round(rhythm, wave.starts_at, same.starts_at)
