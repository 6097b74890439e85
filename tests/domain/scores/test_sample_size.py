import math
from random import Random
from statistics import variance as sample_variance

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.scores.sample_size import (
    Measure,
    SampleSize,
    SharesImpossible,
    WantedPrecision,
    answers_needed,
    explained,
    margin_of,
    nps_variance,
    proportion_variance,
    sample_size,
)

POPULATIONS = st.none() | st.integers(1, 10**9)
WANTED = st.builds(WantedPrecision, st.floats(0.1, 50), st.floats(80, 99.9), POPULATIONS)
VARIANCES = st.floats(0, 1)
SHARE, NPS = 0.25, 1.0


@pytest.mark.parametrize(
    ("population", "answers"),
    [
        # Krejcie & Morgan (1970), table 1; theirs round to the nearest, ours up, so where they differ it is by one.
        (10, 10), (20, 20), (50, 45), (100, 80), (200, 132), (300, 169), (400, 197), (500, 218), (1_000, 278),
        (2_000, 323), (5_000, 357), (10_000, 370), (50_000, 382), (1_000_000, 384), (None, 385),
    ],
)  # fmt: skip
def test_a_share_needs_as_many_as_the_published_tables_say(population: int | None, answers: int) -> None:
    assert answers_needed(WantedPrecision(5, 95, population), variance=SHARE) == answers


@pytest.mark.parametrize(
    ("margin", "confidence", "answers"),
    [(5, 90, 271), (5, 95, 385), (5, 99, 664), (3, 95, 1068), (10, 95, 97), (1, 95, 9604), (2, 99, 4147)],
)
def test_an_endless_population_needs_what_is_usually_quoted(margin: float, confidence: float, answers: int) -> None:
    assert answers_needed(WantedPrecision(margin, confidence), variance=SHARE) == answers


def test_an_nps_needs_four_times_as_many_in_the_worst_case() -> None:
    assert answers_needed(WantedPrecision(5, 95), variance=NPS) == 1537
    assert answers_needed(WantedPrecision(10, 95), variance=NPS) == 385
    assert answers_needed(WantedPrecision(5, 95, population=1_000), variance=NPS) == 607


@pytest.mark.parametrize("population", [None, 1, 2, 1_000])
def test_where_everybody_says_the_same_one_answer_is_enough(population: int | None) -> None:
    variance = nps_variance(promoters=100, detractors=0)
    assert answers_needed(WantedPrecision(5, 95, population), variance=variance) == 1


def test_known_shares_of_promoters_and_detractors_need_fewer() -> None:
    variance = nps_variance(promoters=50, detractors=20)
    assert variance == pytest.approx(0.61)  # 0.7 − 0.3²
    assert answers_needed(WantedPrecision(5, 95), variance=variance) == 938  # 1.959964² · 0.61 / 0.05² = 937.3


def test_the_variance_is_that_of_the_answers() -> None:
    answers = [1] * 500 + [0] * 300 + [-1] * 200
    assert nps_variance(promoters=50, detractors=20) == pytest.approx(sample_variance(answers), rel=2e-3)
    assert proportion_variance(30) == pytest.approx(0.21)
    assert (nps_variance(promoters=None, detractors=None), proportion_variance(None)) == (NPS, SHARE)


@pytest.mark.parametrize(
    ("promoters", "detractors"), [(50, None), (None, 20), (60, 50), (-1, 5), (5, -1), (math.nan, 1)]
)
def test_shares_that_do_not_fit_together_are_refused(promoters: float | None, detractors: float | None) -> None:
    with pytest.raises(SharesImpossible):
        nps_variance(promoters=promoters, detractors=detractors)


def test_a_share_of_more_than_everybody_is_refused() -> None:
    with pytest.raises(SharesImpossible):
        proportion_variance(101)


def test_invitations_are_as_many_as_the_response_rate_asks_for() -> None:
    assert sample_size(WantedPrecision(5, 95, None, 20)) == SampleSize(1537, 7685)
    assert sample_size(WantedPrecision(5, 95, None, 100)).invitations == 1537
    assert sample_size(WantedPrecision(5, 95)).invitations is None
    assert sample_size(WantedPrecision(10, 95, None, 35)).invitations == 1100  # 385 / 0.35, and a hair


def test_where_even_everybody_is_too_few_it_says_what_can_be_had() -> None:
    found = sample_size(WantedPrecision(5, 95, 1_000, 20))
    assert (found.answers, found.invitations, found.is_within_reach) == (607, 1_000, False)
    assert found.margin_within_reach == pytest.approx(100 * 1.959964 * math.sqrt(1 / 200 * 800 / 999), rel=1e-6)
    assert sample_size(WantedPrecision(5, 95, 3, 20)).margin_within_reach is None  # nobody is expected to answer


@given(WANTED, VARIANCES)
def test_the_margin_is_kept_and_one_answer_fewer_would_not_do(wanted: WantedPrecision, variance: float) -> None:
    answers = answers_needed(wanted, variance=variance)
    assert 1 <= answers <= (wanted.population or math.inf)
    assert margin_of(answers, wanted, variance=variance) <= wanted.margin * (1 + 1e-6) or answers == 1
    if answers > 1:
        assert margin_of(answers - 1, wanted, variance=variance) > wanted.margin * (1 - 1e-6)


@given(WANTED, VARIANCES, VARIANCES)
def test_more_variance_never_needs_fewer(wanted: WantedPrecision, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert answers_needed(wanted, variance=less) <= answers_needed(wanted, variance=more)


@given(WANTED, st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_larger_population_never_needs_fewer(wanted: WantedPrecision, one: int, other: int) -> None:
    small, large = (
        answers_needed(WantedPrecision(wanted.margin, wanted.confidence, population), variance=NPS)
        for population in sorted((one, other))
    )
    assert small <= large <= answers_needed(WantedPrecision(wanted.margin, wanted.confidence), variance=NPS)


@given(st.floats(0, 100), st.floats(0, 100))
def test_no_shares_vary_more_than_the_worst_case(promoters: float, detractors: float) -> None:
    assume(promoters + detractors <= 100)
    assert -1e-12 <= nps_variance(promoters=promoters, detractors=detractors) <= NPS + 1e-12
    assert proportion_variance(promoters) <= SHARE


@given(WANTED, st.floats(0.1, 100))
def test_invitations_bring_the_answers(wanted: WantedPrecision, rate: float) -> None:
    found = sample_size(WantedPrecision(wanted.margin, wanted.confidence, wanted.population, rate))
    assert found.invitations is not None
    if found.is_within_reach:
        assert found.invitations * rate / 100 >= found.answers * (1 - 1e-6)
    else:
        assert found.invitations == wanted.population
        assert found.margin_within_reach is None or found.margin_within_reach >= wanted.margin * (1 - 1e-6)


def test_the_margin_holds_as_often_as_promised() -> None:
    chance = Random(11)
    people = [1] * 900 + [0] * 700 + [-1] * 400  # an NPS of 25
    n = answers_needed(WantedPrecision(6, 90, len(people)), variance=nps_variance(promoters=45, detractors=20))
    hits = sum(abs(sum(chance.sample(people, n)) / n - 0.25) <= 0.06 for _ in range(2_000))
    assert 0.88 <= hits / 2_000 <= 0.93


def test_the_difference_to_the_tables_is_said() -> None:
    assert explained(WantedPrecision(5, 95), Measure.NPS, variance=1.0) == (
        "1,537 answers tell an NPS to ±5 points at 95 % confidence, whatever the answers will be. Survey tables say "
        "385, which is for one share. A promoter counts +1 and a detractor −1, so an NPS varies up to four times as "
        "much as a share does."
    )
    assert "with the shares you expect" in explained(WantedPrecision(5, 95), Measure.NPS, variance=0.61)
    assert "up to 1,537." in explained(WantedPrecision(5, 95), Measure.PROPORTION, variance=0.25)
