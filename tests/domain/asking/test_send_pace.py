from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.send_pace import NEVER_BOUND, Pace, Sent, WarmUp, admitted, days_needed, room_left

CAPS = st.none() | st.integers(1, 50)
WARM_UPS = st.builds(WarmUp, st.integers(1, 30), st.floats(1, 3))
PACES = st.builds(Pace, CAPS, CAPS, st.none() | WARM_UPS)
DOMAINS = st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), max_size=80)
COUNTS = st.dictionaries(st.sampled_from(["a.example", "b.example"]), st.integers(0, 60))
SENT = st.builds(Sent, st.integers(0, 60), st.integers(0, 100), st.integers(0, 8), COUNTS)


def test_without_caps_everybody_goes() -> None:
    assert room_left(Pace(), Sent(last_hour=10**6)) is None
    assert admitted(["a.example"] * 5, pace=Pace(), sent=Sent()) == [0, 1, 2, 3, 4]


def test_an_hour_takes_what_is_left_of_its_cap() -> None:
    assert room_left(Pace(per_hour=500), Sent(last_hour=480)) == 20
    assert room_left(Pace(per_hour=500), Sent(last_hour=600)) == 0


def test_one_domain_at_its_cap_lets_the_others_pass() -> None:
    waiting = ["big.example", "big.example", "small.example", "big.example", "other.example"]
    pace = Pace(per_hour=4, per_domain_per_hour=2)
    assert admitted(waiting, pace=pace, sent=Sent(last_hour=1, last_hour_by_domain={"big.example": 1})) == [0, 2, 4]


def test_a_new_sender_doubles_from_day_to_day() -> None:
    warm_up = WarmUp(first_day=200, growth=2.0)
    assert [warm_up.cap_on(day) for day in range(5)] == [200, 400, 800, 1600, 3200]
    pace = Pace(per_hour=500, warm_up=warm_up)
    assert room_left(pace, Sent(today=150)) == 50
    assert room_left(pace, Sent(today=150, warm_up_day=1)) == 250
    assert room_left(pace, Sent(last_hour=400, today=400, warm_up_day=3)) == 100
    assert days_needed(10_000, warm_up) == 6  # 200 + 400 + … + 6400 = 12 600
    assert days_needed(0, warm_up) == 0


def test_growth_that_is_not_whole_is_rounded_down() -> None:
    assert [WarmUp(10, 1.5).cap_on(day) for day in range(4)] == [10, 15, 22, 33]


@given(st.integers(1, 1_000_000), st.floats(1, 10), st.integers(0, 100_000))
def test_a_cap_grows_for_ever_without_breaking(first_day: int, growth: float, day: int) -> None:
    warm_up = WarmUp(first_day, growth)
    assert first_day <= warm_up.cap_on(day) <= NEVER_BOUND
    assert warm_up.cap_on(day) <= warm_up.cap_on(day + 1)


@given(PACES, SENT, DOMAINS)
def test_no_cap_is_passed_and_nobody_waits_for_nothing(pace: Pace, sent: Sent, domains: list[str]) -> None:
    places = admitted(domains, pace=pace, sent=sent)
    assert places == sorted(set(places))
    room = room_left(pace, sent)
    assert room is None or len(places) <= room
    gone = Counter(domains[place] for place in places)
    is_full = room is not None and len(places) == room
    for place, domain in enumerate(domains):
        cap, before = pace.per_domain_per_hour, sent.last_hour_by_domain.get(domain, 0)
        assert cap is None or not gone[domain] or before + gone[domain] <= cap
        if place not in places and not is_full:
            assert cap is not None
            assert before + gone[domain] >= cap


@pytest.mark.parametrize("pace", [Pace(), Pace(500, 100, WarmUp(200, 2.0)), Pace(per_domain_per_hour=5)])
def test_what_is_stored_is_read_again(pace: Pace) -> None:
    assert Pace.from_json(pace.to_json()) == pace


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"per_hour": 0}, "/asking/pace/per_hour"),
        ({"per_domain_per_hour": 0}, "/asking/pace/per_domain_per_hour"),
        ({"warm_up": {"first_day": 0, "growth": 2}}, "/asking/pace/warm_up/first_day"),
        ({"warm_up": {"first_day": 5, "growth": 0.5}}, "/asking/pace/warm_up/growth"),
        ({"warm_up": {"first_day": 5, "growth": float("nan")}}, "/asking/pace/warm_up/growth"),
    ],
)
def test_absurd_paces_are_refused(content: dict[str, object], pointer: str) -> None:
    with pytest.raises(AskingInvalid) as refused:
        Pace.from_json(content)
    assert refused.value.pointer == pointer
