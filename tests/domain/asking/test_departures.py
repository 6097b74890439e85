from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking import Asking
from app.domain.asking.departures import Departures, Due, expected_departures, scaled
from app.domain.asking.send_pace import Sent, WarmUp

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 6, 3, 8, 20, tzinfo=UTC)  # a Wednesday, 10:20 in Berlin
EIGHT = datetime(2026, 6, 3, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MORNING = {"from": "09:00", "until": "12:00"}


def due(*, at: datetime = EIGHT, zone: ZoneInfo = BERLIN, domain: str = "a.example", latest: Any = None) -> Due:
    return Due(at, zone, domain, latest)


def expected(mails: dict[Due, int], *, sent: Sent | None = None, **asking: Any) -> Departures:
    asked = Asking.from_json({"trigger": {"kind": "once"}, **asking})
    return expected_departures(mails, asked, zone=BERLIN, sent=sent or Sent(), now=NOW)


def days(found: Departures) -> list[int]:
    by_day = Counter[object]()
    for hour, count in found.by_hour.items():
        by_day[hour.astimezone(BERLIN).date()] += count
    return [by_day[day] for day in sorted(by_day)]  # type: ignore[type-var]  # dates


def test_without_a_pace_everybody_leaves_when_due() -> None:
    found = expected({due(): 10, due(at=EIGHT + DAY): 5})
    assert found.by_hour == {EIGHT: 10, EIGHT + DAY: 5}
    assert (found.last_at, found.late) == (EIGHT + DAY, 0)


def test_a_cap_per_hour_lets_so_many_out_and_what_left_already_counts() -> None:
    assert expected({due(): 25}, pace={"per_hour": 10}).by_hour == {EIGHT: 10, EIGHT + HOUR: 10, EIGHT + 2 * HOUR: 5}
    after = expected({due(): 25}, pace={"per_hour": 10}, sent=Sent(last_hour=8, today=8))
    assert after.by_hour == {EIGHT: 2, EIGHT + HOUR: 10, EIGHT + 2 * HOUR: 10, EIGHT + 3 * HOUR: 3}


def test_what_has_not_left_when_the_window_closes_leaves_when_it_opens() -> None:
    found = expected({due(): 40}, pace={"per_hour": 10}, window=MORNING)
    assert found.by_hour == {EIGHT: 10, EIGHT + HOUR: 10, EIGHT + 23 * HOUR: 10, EIGHT + 24 * HOUR: 10}


def test_a_warm_up_grows_from_the_day_on_that_it_has_reached() -> None:
    warm = {"pace": {"warm_up": {"first_day": 20, "growth": 2}}}
    assert days(expected({due(): 200}, **warm)) == [20, 40, 80, 60]
    assert days(expected({due(): 200}, **warm, sent=Sent(today=10, warm_up_day=2))) == [70, 130]


def test_a_domain_at_its_cap_lets_the_others_pass() -> None:
    mails = {due(domain="big.example"): 10, due(domain="small.example"): 3, due(domain="other.example"): 4}
    found = expected(mails, pace={"per_domain_per_hour": 4})
    assert found.by_hour == {EIGHT: 11, EIGHT + HOUR: 4, EIGHT + 2 * HOUR: 2}
    assert found.last == {
        due(domain="big.example"): EIGHT + 2 * HOUR, due(domain="small.example"): EIGHT,
        due(domain="other.example"): EIGHT,
    }  # fmt: skip


def test_who_would_leave_too_late_is_counted() -> None:
    found = expected({due(latest=EIGHT + 2 * HOUR): 30}, pace={"per_hour": 10})
    assert (found.by_hour.total(), found.late) == (20, 10)


def test_where_nothing_opens_nobody_leaves() -> None:
    always = [{"from": "2026-01-01T00:00:00+00:00", "until": "2199-01-01T00:00:00+00:00"}]
    found = expected({due(): 3}, pace={"per_hour": 1}, blackouts=always)
    assert (found.last_at, found.late) == (None, 3)


def test_a_wave_of_the_year_after_next_leaves_then() -> None:
    far = EIGHT + 800 * DAY
    assert expected({due(at=far): 2}, pace={"per_hour": 1}).by_hour == {far: 1, far + HOUR: 1}


def test_those_that_were_not_looked_at_are_taken_to_be_like_the_others() -> None:
    some = Counter({due(domain=f"{at}.example"): 1 for at in range(7)})
    assert scaled(some, 1) == some
    assert scaled(some, 2.5).total() == 18
    assert scaled(some, 2.5).keys() == some.keys()


PACES = st.fixed_dictionaries(
    {
        "per_hour": st.none() | st.integers(1, 20),
        "per_domain_per_hour": st.none() | st.integers(1, 10),
        "warm_up": st.none() | st.just({"first_day": 15, "growth": 1.5}),
    }
)
MAILS = st.dictionaries(
    st.builds(
        due, at=st.integers(0, 40).map(lambda hours: EIGHT + hours * HOUR), zone=st.sampled_from([BERLIN, TOKYO]),
        domain=st.sampled_from(["a.example", "b.example"]), latest=st.none() | st.just(EIGHT + 2 * DAY),
    ),
    st.integers(1, 30), max_size=12,
)  # fmt: skip


@given(PACES, MAILS, st.sampled_from([{}, MORNING]))
def test_no_cap_is_broken_and_nobody_is_lost(pace: dict[str, Any], mails: dict[Due, int], window: Any) -> None:
    found = expected(mails, pace=pace, window=window)

    assert found.by_hour.total() + found.late == sum(mails.values())
    assert pace["per_hour"] is None or max(found.by_hour.values(), default=0) <= pace["per_hour"]
    if pace["warm_up"]:
        assert all(count <= WarmUp(15, 1.5).cap_on(at) for at, count in enumerate(days(found)))
    assert all(hour >= due.hour and hour >= EIGHT for due, hour in found.last.items())
