import math
from fractions import Fraction
from random import Random
from statistics import NormalDist, mean, variance

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.scores.comparison import FEWEST_TO_JUDGE, Change, Verdict, _adjusted_by_holm, compare, compare_arms
from app.domain.scores.metric import METRICS, NPS, Metric, ScoreOutOfRange
from app.domain.scores.scoring import LEVELS, Histogram
from app.domain.scores.student_t import critical_t, two_sided_p


@st.composite
def changes(draw: st.DrawFn, *, fewest: int = 0) -> tuple[Metric, Histogram, Histogram, float]:
    metric = draw(st.sampled_from(list(METRICS.values())))
    scores = st.lists(st.integers(metric.lowest, metric.highest), min_size=fewest, max_size=40)
    times = st.sampled_from([1, 1, 7, 1000])  # large samples too, where small differences become real
    before = Histogram.of(draw(scores) * draw(times))
    return metric, before, Histogram.of(draw(scores) * draw(times)), draw(st.sampled_from(LEVELS))


def changed(metric: str, before: list[int], after: list[int], level: float = 0.95) -> Change:
    return compare(METRICS[metric], before=Histogram.of(before), after=Histogram.of(after), level=level)


def test_a_large_rise_of_many_answers_is_real() -> None:
    change = changed("nps", [10] * 300 + [8] * 300 + [2] * 400, [10] * 500 + [8] * 300 + [2] * 200)
    assert change.difference == 40
    assert change.verdict is Verdict.UP
    assert change.is_significant is True
    assert change.p_value is not None
    assert change.p_value < 1e-9


def test_a_large_fall_of_many_answers_is_real() -> None:
    change = changed("csat", [5] * 900 + [1] * 100, [5] * 700 + [1] * 300)
    assert (change.difference, change.verdict) == (-20, Verdict.DOWN)


def test_ten_points_between_two_small_samples_may_be_chance() -> None:
    change = changed("nps", [10] * 10 + [8] * 5 + [2] * 5, [10] * 12 + [8] * 3 + [2] * 5)
    assert change.difference == 10
    assert change.verdict is Verdict.NO_REAL_CHANGE
    assert change.is_significant is False


def test_an_nps_difference_by_hand() -> None:
    # Before, 10/5/5: net 5/23, variance 0.0291362.
    # After, 12/3/5: net 7/23, variance (18½/23 − 49/529) / 23 = 0.0309449.
    # z = 0.0869565 / √0.0600811 = 0.354761
    change = changed("nps", [10] * 10 + [8] * 5 + [2] * 5, [10] * 12 + [8] * 3 + [2] * 5)
    assert change.p_value == pytest.approx(2 * NormalDist().cdf(-0.354761), rel=1e-5)
    assert change.interval is not None
    assert change.interval.low == pytest.approx(100 * (0.0869565 - 1.959964 * 0.2451145), rel=1e-5)
    assert change.interval.high == pytest.approx(100 * (0.0869565 + 1.959964 * 0.2451145), rel=1e-5)


@given(st.lists(st.integers(1, 5), min_size=10, max_size=30), st.lists(st.integers(1, 5), min_size=10, max_size=30))
def test_means_are_compared_by_welchs_test(before: list[int], after: list[int]) -> None:
    assume(len(set(before)) > 1 or len(set(after)) > 1)
    change = changed("stars", before, after)
    squared = variance(before) / len(before) + variance(after) / len(after)
    assert change.difference == Fraction(sum(after), len(after)) - Fraction(sum(before), len(before))
    assert change.interval is not None
    assert change.interval.method == "welch_t"
    n, m = len(before), len(after)
    df = squared**2 / ((variance(before) / n) ** 2 / (n - 1) + (variance(after) / m) ** 2 / (m - 1))
    t = (mean(after) - mean(before)) / math.sqrt(squared)
    assert change.p_value == pytest.approx(two_sided_p(t, df=df), rel=1e-9)
    if change.interval.high < 4:
        margin = critical_t(0.95, df=df) * math.sqrt(squared)
        assert change.interval.high == pytest.approx(mean(after) - mean(before) + margin)


@given(st.integers(0, 200), st.integers(10, 200), st.integers(0, 200), st.integers(10, 200))
def test_shares_are_compared_after_one_more_answer_of_each_kind(up: int, down: int, now_up: int, now_down: int) -> None:
    was, now = (up + 1) / (up + down + 2), (now_up + 1) / (now_up + now_down + 2)
    error = math.sqrt(was * (1 - was) / (up + down + 2) + now * (1 - now) / (now_up + now_down + 2))
    change = changed("thumbs", [1] * up + [0] * down, [1] * now_up + [0] * now_down)
    assert change.p_value == pytest.approx(2 * NormalDist().cdf(-abs(now - was) / error), rel=1e-9)
    assert change.interval is not None
    assert change.interval.method == "adjusted_wald"
    if change.interval.low > -100:
        assert change.interval.low == pytest.approx(100 * (now - was - 1.959964 * error), rel=1e-5, abs=1e-4)


@given(changes())
def test_no_verdict_is_given_on_too_few_answers(case: tuple[Metric, Histogram, Histogram, float]) -> None:
    metric, before, after, level = case
    change = compare(metric, before=before, after=after, level=level)
    if min(before.n, after.n) < FEWEST_TO_JUDGE:
        assert (change.verdict, change.is_significant, change.p_value) == (Verdict.TOO_FEW, None, None)
    assert (change.difference is None) == (min(before.n, after.n) == 0)


@given(changes(fewest=FEWEST_TO_JUDGE))
def test_verdict_interval_p_value_and_direction_agree(case: tuple[Metric, Histogram, Histogram, float]) -> None:
    metric, before, after, level = case
    change = compare(metric, before=before, after=after, level=level)
    assume(change.interval is not None)
    assert change.interval is not None
    assert change.difference is not None
    assert change.p_value is not None
    assert change.interval.low <= change.difference <= change.interval.high
    assert change.is_significant == (not change.interval.low <= 0 <= change.interval.high)
    assert change.is_significant == (change.p_value < 1 - level)
    if change.verdict is Verdict.UP:
        assert change.difference > 0
    if change.verdict is Verdict.DOWN:
        assert change.difference < 0


@given(changes(fewest=1))
def test_looking_back_is_the_mirror_image_of_looking_forward(case: tuple[Metric, Histogram, Histogram, float]) -> None:
    metric, before, after, level = case
    forward = compare(metric, before=before, after=after, level=level)
    back = compare(metric, before=after, after=before, level=level)
    assert forward.difference is not None
    assert back.difference == -forward.difference
    assert forward.p_value == pytest.approx(back.p_value)
    assert forward.is_significant == back.is_significant
    if forward.interval is not None and back.interval is not None:
        assert forward.interval.low == pytest.approx(-back.interval.high)


@given(changes(fewest=FEWEST_TO_JUDGE))
def test_no_difference_is_never_a_real_change(case: tuple[Metric, Histogram, Histogram, float]) -> None:
    metric, before, _, level = case
    change = compare(metric, before=before, after=before, level=level)
    assert change.difference == 0
    assert change.verdict in {Verdict.NO_REAL_CHANGE, Verdict.TOO_FEW}


def test_unanimous_stars_on_both_sides_show_no_spread_to_judge_by() -> None:
    change = changed("stars", [3] * 50, [5] * 50)
    assert (change.difference, change.interval, change.verdict) == (2, None, Verdict.TOO_FEW)


def test_stars_with_spread_on_one_side_only_can_be_judged() -> None:
    assert changed("stars", [1, 2, 3] * 10, [5] * 50).verdict is Verdict.UP


def test_unanimous_promoters_can_be_judged() -> None:
    assert changed("nps", [0] * 50, [10] * 50).verdict is Verdict.UP


def test_a_score_that_the_metric_does_not_have_is_refused() -> None:
    with pytest.raises(ScoreOutOfRange):
        changed("stars", before=[3] * 20, after=[9])


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_can_be_said_in_words(verdict: Verdict) -> None:
    assert len(verdict.words) > 10


def test_false_alarms_are_about_as_rare_as_promised() -> None:
    """Every pair of samples of 12 from the same population, weighted by its probability (exact, no simulation)."""
    n, shares = 12, (0.5, 0.3, 0.2)
    outcomes = []
    for promoters in range(n + 1):
        for detractors in range(n + 1 - promoters):
            passives = n - promoters - detractors
            ways = math.comb(n, promoters) * math.comb(n - promoters, detractors)
            weight = ways * shares[0] ** promoters * shares[1] ** passives * shares[2] ** detractors
            if weight > 1e-5:
                outcomes.append((weight, Histogram((detractors, 0, 0, 0, 0, 0, 0, passives, 0, 0, promoters))))
    alarms = sum(
        weight * other_weight
        for at, (weight, before) in enumerate(outcomes)
        for other_weight, after in outcomes[at + 1 :]
        if compare(NPS, before=before, after=after).is_significant
    )
    assert 0.02 < 2 * alarms < 0.06


def arms(*scores: list[int], level: float = 0.95) -> list[Change]:
    return compare_arms(NPS, [Histogram.of(each) for each in scores], level=level)


def test_two_arms_are_compared_as_two_periods_are() -> None:
    control, other = [10] * 30 + [8] * 30 + [2] * 40, [10] * 50 + [8] * 30 + [2] * 20
    assert arms(control, other) == [changed("nps", control, other)]
    assert arms(control) == []


def test_p_values_are_adjusted_as_by_holm() -> None:
    # The first as in the examples of R's p.adjust, the second by hand: 4 · 0.005, 3 · 0.01, 2 · 0.03, then no less.
    assert _adjusted_by_holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert _adjusted_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert _adjusted_by_holm([0.6, 0.9]) == [1.0, 1.0]
    assert _adjusted_by_holm([]) == []


def test_what_is_real_beside_one_arm_may_be_chance_among_many() -> None:
    control, other = [10] * 40 + [8] * 30 + [2] * 30, [10] * 55 + [8] * 27 + [2] * 18
    (alone,) = arms(control, other)
    among = arms(control, control, control, other, control, control)
    assert alone.p_value is not None
    assert (alone.verdict, alone.is_significant) == (Verdict.UP, True)
    assert (among[2].verdict, among[2].is_significant) == (Verdict.NO_REAL_CHANGE, False)
    assert among[2].p_value == pytest.approx(5 * alone.p_value)
    assert (among[2].difference, among[2].interval) == (alone.difference, alone.interval)


def test_an_arm_too_small_to_judge_does_not_count_among_the_others() -> None:
    control, other = [10] * 40 + [8] * 30 + [2] * 30, [10] * 55 + [8] * 27 + [2] * 18
    with_small, (alone,) = arms(control, [10] * 3, other, []), arms(control, other)
    assert [change.verdict for change in with_small] == [Verdict.TOO_FEW, Verdict.UP, Verdict.TOO_FEW]
    assert with_small[1] == alone


@given(st.lists(st.floats(0, 1), max_size=12))
def test_an_adjusted_p_value_is_never_smaller_and_keeps_its_rank(p_values: list[float]) -> None:
    adjusted = _adjusted_by_holm(p_values)
    assert all(plain <= after <= 1 for plain, after in zip(p_values, adjusted, strict=True))
    ranked = [after for _, after in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)
    shuffled = _adjusted_by_holm(p_values[::-1])[::-1]
    assert sorted(shuffled) == pytest.approx(sorted(adjusted))


@given(st.lists(st.lists(st.integers(0, 10), max_size=30), min_size=2, max_size=5), st.sampled_from([1, 10]))
def test_a_verdict_among_arms_goes_by_the_adjusted_p_value(scores: list[list[int]], times: int) -> None:
    for change in arms(*(each * times for each in scores)):
        if change.p_value is None:
            assert change.verdict is Verdict.TOO_FEW
        else:
            assert change.is_significant == (change.verdict in {Verdict.UP, Verdict.DOWN})
            assert not change.is_significant or change.p_value <= 0.05 + 1e-9


def test_false_alarms_among_five_arms_are_about_as_rare_as_promised() -> None:
    chance = Random(3)
    population = [10] * 5 + [8] * 3 + [2] * 2
    alarms = sum(
        any(change.is_significant for change in arms(*(chance.choices(population, k=60) for _ in range(5))))
        for _ in range(800)
    )
    assert 0.015 < alarms / 800 < 0.07
