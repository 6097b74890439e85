from collections import Counter
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.best_hour import FEWEST_ANSWERS, FEWEST_ASKED, HourCounts, best_hour, hour_for, lowest_rate

COUNTS = st.integers(0, 500).flatmap(lambda asked: st.builds(HourCounts, st.just(asked), st.integers(0, asked)))
HOURS = st.dictionaries(st.integers(0, 23), COUNTS)


def test_the_hour_in_which_most_answer_is_the_best() -> None:
    assert best_hour({9: HourCounts(1000, 100), 10: HourCounts(1000, 180), 17: HourCounts(1000, 120)}) == 10


def test_with_few_answers_no_hour_is_better() -> None:
    assert best_hour({}) is None
    assert best_hour({9: HourCounts(200, 2), 10: HourCounts(200, FEWEST_ANSWERS - 3)}) is None
    assert best_hour({9: HourCounts(200, 2), 10: HourCounts(200, FEWEST_ANSWERS - 2)}) == 10


def test_an_hour_hardly_ever_tried_is_not_compared() -> None:
    assert best_hour({9: HourCounts(1000, 100), 10: HourCounts(29, 29), 11: HourCounts(1000, 200)}) == 11


def test_one_hour_alone_is_not_the_best_of_many() -> None:
    assert best_hour({10: HourCounts(1000, 200)}) is None


def test_hours_that_differ_by_chance_only_are_equal() -> None:
    assert best_hour({9: HourCounts(1000, 100), 10: HourCounts(1000, 104), 11: HourCounts(1000, 98)}) is None


def test_of_two_hours_that_are_equally_good_it_is_the_earlier() -> None:
    hours = {15: HourCounts(1000, 300), 10: HourCounts(1000, 300), 12: HourCounts(5000, 100)}
    assert best_hour(hours) == best_hour(dict(sorted(hours.items()))) == 10


def test_the_lower_end_is_wilsons() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert lowest_rate(HourCounts(263, 81)) == pytest.approx(0.2553, abs=5e-5)
    assert lowest_rate(HourCounts(148, 15)) == pytest.approx(0.0624, abs=5e-5)
    assert lowest_rate(HourCounts(20, 0)) == pytest.approx(0, abs=1e-12)
    assert lowest_rate(HourCounts(29, 1)) == pytest.approx(0.0061, abs=5e-5)


@given(HOURS)
def test_the_best_hour_is_better_than_the_others_together(by_hour: dict[int, HourCounts]) -> None:
    best = best_hour(by_hour)
    if best is not None:
        compared = [hour for hour in by_hour.values() if hour.asked >= FEWEST_ASKED]
        asked, answered = (sum(column) for column in zip(*compared, strict=True))
        assert by_hour[best].answered / by_hour[best].asked > answered / asked
        assert best_hour(dict(reversed(by_hour.items()))) == best


@given(HOURS)
def test_more_answers_in_the_best_hour_keep_it_the_best(by_hour: dict[int, HourCounts]) -> None:
    best = best_hour(by_hour)
    if best is not None and by_hour[best].answered < by_hour[best].asked:
        better = HourCounts(by_hour[best].asked, by_hour[best].answered + 1)
        assert best_hour({**by_hour, best: better}) == best


def test_what_is_true_is_found_and_what_is_not_seldom_is() -> None:
    chance = Random(7)

    def asked(rate: float) -> HourCounts:
        return HourCounts(800, sum(chance.random() < rate for _ in range(800)))

    with_truth = [best_hour({hour: asked(0.28 if hour == 19 else 0.2) for hour in range(9, 21)}) for _ in range(60)]
    without = [best_hour({hour: asked(0.2) for hour in range(9, 21)}) for _ in range(60)]
    assert with_truth.count(19) >= 54
    assert without.count(None) >= 36


def test_some_people_go_on_trying_the_other_hours() -> None:
    hours = Counter(hour_for(UUID(int=at), best=10, seed="campaign") for at in range(5000))
    assert set(hours) == {10, None}
    assert 850 <= hours[None] <= 1150
    assert hour_for(UUID(int=1), best=None, seed="campaign") is None
