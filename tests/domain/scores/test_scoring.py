import math
from fractions import Fraction
from itertools import product
from statistics import NormalDist, mean, stdev

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.scores.metric import METRICS, NPS, Band, Metric, ScoreOutOfRange
from app.domain.scores.scoring import LEVELS, Histogram, percentages, rounded, score_of, value_of

LISTS = st.lists(st.integers(0, 10), max_size=60)
ANY_METRIC = st.sampled_from(list(METRICS.values()))


@st.composite
def metrics_with_scores(draw: st.DrawFn, *, min_size: int = 0, max_size: int = 60) -> tuple[Metric, list[int]]:
    metric = draw(ANY_METRIC)
    scores = st.integers(metric.lowest, metric.highest)
    return metric, draw(st.lists(scores, min_size=min_size, max_size=max_size))


@given(LISTS, LISTS)
def test_adding_histograms_is_counting_everything_together(some: list[int], others: list[int]) -> None:
    assert Histogram.of(some) + Histogram.of(others) == Histogram.of(some + others)
    assert Histogram.of(some).n == len(some)


def test_a_histogram_takes_only_eleven_counts_and_none_negative() -> None:
    for counts in ((1,) * 10, (1,) * 12, (-1,) + (0,) * 10):
        with pytest.raises(ValueError, match="11 counts"):
            Histogram(counts)
    with pytest.raises(ScoreOutOfRange):
        Histogram.of([11])
    with pytest.raises(ScoreOutOfRange):
        Histogram.of([-1])


@given(LISTS)
def test_nps_is_promoters_less_detractors_and_exact(scores: list[int]) -> None:
    value = value_of(Histogram.of(scores), metric=NPS)
    if not scores:
        assert value is None
        return
    each = [1 if score >= 9 else -1 if score <= 6 else 0 for score in scores]
    assert value == Fraction(100 * sum(each), len(each))


@given(metrics_with_scores(min_size=1))
def test_shares_and_means_are_exact_as_well(case: tuple[Metric, list[int]]) -> None:
    metric, scores = case
    top = sum(1 for score in scores if metric.band_for(score) is Band.PROMOTER)
    expected = {
        "csat": Fraction(100 * top, len(scores)),
        "ces": Fraction(100 * top, len(scores)),
        "thumbs": Fraction(100 * top, len(scores)),
        "stars": Fraction(sum(scores), len(scores)),
    }
    assume(metric is not NPS)
    assert value_of(Histogram.of(scores), metric=metric) == expected[metric.key]


@pytest.mark.parametrize("metric", METRICS.values(), ids=str)
def test_without_answers_there_is_no_score_rather_than_a_score_of_zero(metric: Metric) -> None:
    score = score_of(Histogram(), metric=metric)
    assert (score.n, score.value, score.margin_of_error, score.interval) == (0, None, None, None)


def test_a_score_that_the_metric_does_not_have_is_refused() -> None:
    for key in ("csat", "stars", "thumbs"):
        with pytest.raises(ScoreOutOfRange):
            score_of(Histogram.of([9]), metric=METRICS[key])


@given(metrics_with_scores(), st.sampled_from(LEVELS))
def test_an_interval_stays_on_the_scale_and_holds_its_value(case: tuple[Metric, list[int]], level: float) -> None:
    metric, scores = case
    score = score_of(Histogram.of(scores), metric=metric, level=level)
    assume(score.interval is not None)
    assert score.interval is not None
    assert score.value is not None
    assert score.margin_of_error is not None
    assert score.margin_of_error > 0
    assert metric.floor <= score.interval.low <= score.value <= score.interval.high <= metric.ceiling
    assert score.interval.level == level


@given(metrics_with_scores(min_size=2))
def test_asking_for_more_confidence_widens_the_margin(case: tuple[Metric, list[int]]) -> None:
    metric, scores = case
    margins = [score_of(Histogram.of(scores), metric=metric, level=level).margin_of_error for level in LEVELS]
    assume(margins[0] is not None)
    assert margins == sorted(margins, key=lambda margin: margin or 0)
    assert len(set(margins)) == len(LEVELS)


@given(metrics_with_scores(min_size=2), st.integers(2, 20))
def test_more_of_the_same_answers_narrow_the_margin(case: tuple[Metric, list[int]], times: int) -> None:
    metric, scores = case
    few = score_of(Histogram.of(scores), metric=metric).margin_of_error
    many = score_of(Histogram.of(scores * times), metric=metric).margin_of_error
    assume(few is not None)
    assert few is not None
    assert many is not None
    assert many < few


def test_the_adjusted_wald_interval_of_an_nps_by_hand() -> None:
    # 10 promoters, 5 passives, 5 detractors. With the three added answers: 10¾, 6½, 5¾ of 23.
    # Net 5/23 = 0.21739; variance (16½/23 − 0.21739²) / 23 = 0.0291362; margin 1.959964 · 0.170693 = 0.334553.
    score = score_of(Histogram.of([10] * 10 + [7] * 5 + [3] * 5), metric=NPS)
    assert score.value == 25
    assert rounded(score.margin_of_error, places=3) == 33.455
    assert score.interval is not None
    assert rounded(score.interval.low) == -11.72
    assert rounded(score.interval.high) == 55.19
    assert score.interval.method == "adjusted_wald"


@given(st.lists(st.integers(0, 10), min_size=2, max_size=60))
def test_the_nps_margin_is_that_of_the_answers_with_three_more_among_them(scores: list[int]) -> None:
    """Four of each answer and twelve added (3, 6, 3) have the same spread; the standard error is that of n + 3."""
    net = [1 if score >= 9 else -1 if score <= 6 else 0 for score in scores] * 4 + [1] * 3 + [0] * 6 + [-1] * 3
    centre = Fraction(sum(net), len(net))
    spread = sum((one - centre) ** 2 for one in net) / len(net)
    expected = 100 * NormalDist().inv_cdf(0.975) * math.sqrt(spread / (len(scores) + 3))
    found = score_of(Histogram.of(scores), metric=NPS)
    assert found.margin_of_error == pytest.approx(expected, rel=1e-12)
    assert found.interval is not None
    assert found.interval.high == pytest.approx(min(100, float(100 * centre) + expected))
    assert found.interval.low == pytest.approx(max(-100, float(100 * centre) - expected))


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.8, 0.15, 0.05), (0.1, 0.3, 0.6), (0.34, 0.33, 0.33)])
@pytest.mark.parametrize("n", [10, 20, 40])
def test_the_nps_interval_holds_the_truth_about_as_often_as_it_says(n: int, shares: tuple[float, ...]) -> None:
    """Not a simulation: the probability of every possible sample, added up where its interval holds the truth."""
    truth, covered = 100 * (shares[0] - shares[2]), 0.0
    for promoters, detractors in product(range(n + 1), repeat=2):
        passives = n - promoters - detractors
        if passives < 0:
            continue
        interval = score_of(Histogram((detractors, 0, 0, 0, 0, 0, 0, passives, 0, 0, promoters)), metric=NPS).interval
        assert interval is not None
        if interval.low <= truth <= interval.high:
            ways = math.comb(n, promoters) * math.comb(n - promoters, detractors)
            covered += ways * shares[0] ** promoters * shares[1] ** passives * shares[2] ** detractors
    assert 0.93 < covered < 0.985


@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from(LEVELS))
def test_the_share_interval_is_agresti_and_coulls(up: int, down: int, level: float) -> None:
    """Known: it shares its centre with Wilson's score interval and is never narrower."""
    assume(up + down)
    n, z = up + down, NormalDist().inv_cdf((1 + level) / 2)
    share = up / n
    wilson_centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    wilson_half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    interval = score_of(Histogram((down, up, *[0] * 9)), metric=METRICS["thumbs"], level=level).interval
    assert interval is not None
    assert interval.low <= 100 * (wilson_centre - wilson_half) + 1e-9
    assert interval.high >= 100 * (wilson_centre + wilson_half) - 1e-9
    if interval.low > 0 and interval.high < 100:
        assert (interval.low + interval.high) / 2 == pytest.approx(100 * wilson_centre)


def test_nine_of_ten_give_the_textbook_interval() -> None:
    # (9 + 1.9207) / (10 + 3.8415) = 0.78899 ± 1.95996 · √(0.78899 · 0.21101 / 13.8415) = ± 0.21495
    interval = score_of(Histogram((1, 9, *[0] * 9)), metric=METRICS["thumbs"]).interval
    assert interval is not None
    assert (rounded(interval.low), interval.high) == (57.4, 100)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=40))
def test_the_interval_of_a_mean_is_students(stars: list[int]) -> None:
    assume(len(set(stars)) > 1)
    score = score_of(Histogram.of(stars), metric=METRICS["stars"])
    at_95 = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 9: 2.2622, 19: 2.0930, 39: 2.0227}
    assert score.margin_of_error is not None
    if len(stars) - 1 in at_95:
        expected = at_95[len(stars) - 1] * stdev(stars) / math.sqrt(len(stars))
        assert score.margin_of_error == pytest.approx(expected, rel=1e-4)
    assert score.value == Fraction(sum(stars), len(stars))
    assert float(score.value) == pytest.approx(mean(stars))


@pytest.mark.parametrize("stars", [[4], [5, 5], [5] * 100])
def test_a_mean_has_no_margin_where_the_answers_show_no_spread(stars: list[int]) -> None:
    score = score_of(Histogram.of(stars), metric=METRICS["stars"])
    assert score.value == stars[0]
    assert score.margin_of_error is None
    assert score.interval is None


def test_ten_million_answers_are_still_exact() -> None:
    counts = (0, 0, 0, 0, 0, 0, 3_333_333, 0, 0, 0, 6_666_668)
    assert value_of(Histogram(counts), metric=NPS) == Fraction(333_333_500, 10_000_001)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=11))
def test_percentages_add_up_to_one_hundred_and_are_less_than_a_tenth_off(counts: list[int]) -> None:
    shown = percentages(counts)
    n = sum(counts)
    if n == 0:
        assert shown == [0.0] * len(counts)
        return
    assert sum(round(10 * share) for share in shown) == 1000
    for share, count in zip(shown, counts, strict=True):
        assert share == round(share, 1)
        assert abs(Fraction(str(share)) - Fraction(100 * count, n)) < Fraction(1, 10)


def test_the_left_over_tenth_goes_to_whoever_lost_most_and_else_to_the_first() -> None:
    assert percentages([1, 1, 1]) == [33.4, 33.3, 33.3]
    assert percentages([1, 5, 1]) == [14.3, 71.4, 14.3]


def test_rounding_for_show_is_postgresqls() -> None:
    assert rounded(None) is None
    assert rounded(Fraction(1, 3)) == 0.33
    assert rounded(Fraction(-1, 200)) == -0.01
    assert rounded(Fraction(2675, 1000)) == 2.68  # float's own round says 2.67
    assert rounded(Fraction(-25, 2), places=0) == -13
    assert str(rounded(Fraction(-1, 1000))) == "0.0"
