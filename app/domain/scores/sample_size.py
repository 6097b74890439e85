"""How many answers a score with a given margin needs, and how many people to ask for them.

Cochran (1977), Sampling Techniques, 3rd edition, §4.4: n₀ = z² · V / e², and of a population of N
n = n₀ / (1 + (n₀ − 1) / N), rounded up. V is the variance of one answer. A share p has V = p(1 − p), at most ¼; that is
what published survey tables are made of. Those that round up, so that the margin holds, say the same: 385 for endlessly
many, 278 of 1,000, 370 of 10,000. Krejcie & Morgan (1970, Educational and Psychological Measurement 30) round to the
nearest: in half of their rows it is one less, such as 217 of 500, and a hair wider than the margin they name.
An answer to an NPS is worth
+1, 0 or −1, so V = promoters + detractors − (promoters − detractors)², at most 1: for the same margin it can need four
times as many.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import RuleViolation
from app.domain.scores.student_t import critical_z

LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE = 80.0, 99.9  # %
NARROWEST_MARGIN, WIDEST_MARGIN = 0.1, 50.0  # points
LARGEST_POPULATION = 1_000_000_000
HAIR = 1e-9  # relative; a number that is whole but for rounding is not rounded up


class SharesImpossible(RuleViolation):
    """The shares do not add up.

    Promoters and detractors are given together, in % of the answers, and add up to at most 100. They are of an NPS, and
    the share is of a proportion.
    """

    code = "shares_impossible"


class Measure(StrEnum):
    NPS = "nps"
    PROPORTION = "proportion"


WORST_CASE = {Measure.NPS: 1.0, Measure.PROPORTION: 0.25}


@dataclass(frozen=True, slots=True)
class WantedPrecision:
    """`margin` is ± points, `confidence` and `response_rate` are %; without a population it is endless."""

    margin: float
    confidence: float = 95.0
    population: int | None = None
    response_rate: float | None = None


@dataclass(frozen=True, slots=True)
class SampleSize:
    """`invitations` is None without a response rate.

    Where the whole population is too small for as many as it would take, `is_within_reach` is False, `invitations` is
    everybody, and `margin_within_reach` is what their answers would give; None when nobody's is to be expected.
    """

    answers: int
    invitations: int | None
    is_within_reach: bool = True
    margin_within_reach: float | None = None


def nps_variance(*, promoters: float | None, detractors: float | None) -> float:
    """Of shares in %; the worst case without any. Raises SharesImpossible."""
    if promoters is None and detractors is None:
        return WORST_CASE[Measure.NPS]
    if promoters is None or detractors is None:
        raise SharesImpossible("Give both `promoters` and `detractors`, or neither.", pointer="/promoters")
    if not (promoters >= 0 and detractors >= 0 and promoters + detractors <= 100):
        raise SharesImpossible("Promoters and detractors are together at most 100 %.", pointer="/promoters")
    up, down = promoters / 100, detractors / 100
    return up + down - (up - down) ** 2


def proportion_variance(share: float | None) -> float:
    """Of a share in %; the worst case, 50 %, without one. Raises SharesImpossible."""
    if share is None:
        return WORST_CASE[Measure.PROPORTION]
    if not 0 <= share <= 100:
        raise SharesImpossible("A share is between 0 and 100 %.", pointer="/share")
    return share / 100 * (1 - share / 100)


def sample_size(wanted: WantedPrecision, *, variance: float = WORST_CASE[Measure.NPS]) -> SampleSize:
    answers = answers_needed(wanted, variance=variance)
    if wanted.response_rate is None:
        return SampleSize(answers, None)
    invitations = _up(answers / (wanted.response_rate / 100))
    if wanted.population is None or invitations <= wanted.population:
        return SampleSize(answers, invitations)
    expected = math.floor(wanted.population * wanted.response_rate / 100 * (1 + HAIR))
    margin = margin_of(expected, wanted, variance=variance) if expected else None
    return SampleSize(answers, wanted.population, is_within_reach=False, margin_within_reach=margin)


def answers_needed(wanted: WantedPrecision, *, variance: float) -> int:
    """At least 1, at most the population."""
    endless = critical_z(wanted.confidence / 100) ** 2 * variance / (wanted.margin / 100) ** 2
    if endless <= 1:
        return 1
    return _up(endless if wanted.population is None else endless / (1 + (endless - 1) / wanted.population))


def margin_of(answers: int, wanted: WantedPrecision, *, variance: float) -> float:
    """± points that so many answers give, at the confidence and of the population wanted; 0 when all have answered."""
    squared = variance / answers
    if wanted.population is not None:
        squared *= (wanted.population - answers) / max(1, wanted.population - 1)
    return 100 * critical_z(wanted.confidence / 100) * math.sqrt(squared)


def explained(wanted: WantedPrecision, measure: Measure, *, variance: float) -> str:
    """Why it is so many, beside what the other measure would need."""
    shares = answers_needed(wanted, variance=WORST_CASE[Measure.PROPORTION])
    answers = answers_needed(wanted, variance=variance)
    at = f"±{wanted.margin:g} points at {wanted.confidence:g} % confidence"
    if measure is Measure.PROPORTION:
        nps = answers_needed(wanted, variance=WORST_CASE[Measure.NPS])
        return (
            f"{answers:,} answers tell one share, such as that of the promoters, to {at}. An NPS is the difference of "
            f"two shares and varies more: for the same margin it takes up to {nps:,}."
        )
    assumed = "whatever the answers will be" if variance == WORST_CASE[Measure.NPS] else "with the shares you expect"
    return (
        f"{answers:,} answers tell an NPS to {at}, {assumed}. Survey tables say {shares:,}, which is for one share. A "
        "promoter counts +1 and a detractor −1, so an NPS varies up to four times as much as a share does."
    )


def _up(number: float) -> int:
    return math.ceil(number * (1 - HAIR))
