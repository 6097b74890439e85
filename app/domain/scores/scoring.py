"""From counts to a score with its margin, and from two scores to "is this change real?".

Values stay exact fractions until `rounded`. Nothing here is ever computed from a rounded part.

Every margin comes from the *adjusted* answers, while the value shown is the plain one, so an interval is not centred on
its value: it leans towards the middle of the scale, the more so the fewer the answers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Self

from app.domain.scores.metric import Band, Formula, Metric, ScoreOutOfRange
from app.domain.scores.student_t import critical_t, critical_z

DEFAULT_LEVEL = 0.95
LEVELS = (0.9, 0.95, 0.99)  # what callers may ask for
SLOTS = 11  # a counter for each raw score 0–10, whatever the metric


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often each raw score was given; the index is the score."""

    counts: tuple[int, ...] = (0,) * SLOTS

    def __post_init__(self) -> None:
        if len(self.counts) != SLOTS or min(self.counts) < 0:
            raise ValueError(f"A histogram is {SLOTS} counts, none negative; got {self.counts}.")

    @classmethod
    def of(cls, scores: Iterable[int]) -> Self:
        counts = [0] * SLOTS
        for score in scores:
            if not 0 <= score < SLOTS:
                raise ScoreOutOfRange("A score is a whole number from 0 to 10.", pointer="/score")
            counts[score] += 1
        return cls(tuple(counts))

    def __add__(self, other: Self) -> Self:
        return type(self)(tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)))

    def __sub__(self, part: Self) -> Self:
        """`part` must be contained in it."""
        return type(self)(tuple(mine - theirs for mine, theirs in zip(self.counts, part.counts, strict=True)))

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def total(self) -> int:
        return sum(score * count for score, count in enumerate(self.counts))

    @property
    def mean(self) -> float:
        """Divides by n: not for an empty one."""
        return self.total / self.n

    def bands(self, metric: Metric) -> dict[Band, int]:
        """Raises ScoreOutOfRange when a score that the metric does not have was counted."""
        bands = dict.fromkeys(Band, 0)
        for score, count in enumerate(self.counts):
            if count:
                bands[metric.band_for(score)] += count
        return bands


@dataclass(frozen=True, slots=True)
class Interval:
    """In the metric's points. `method` is adjusted_wald, student_t or welch_t."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Score:
    """`value` is None without answers: no answers are not a score of 0.

    `margin_of_error` is half the interval's width before it was cut to the scale, in the metric's points. Margin and
    interval are None where the answers cannot tell: without answers, and for a mean also with one answer or with
    answers that are all the same.
    """

    metric: Metric
    n: int
    value: Fraction | None
    bands: Mapping[Band, int]
    margin_of_error: float | None
    interval: Interval | None


def score_of(histogram: Histogram, *, metric: Metric, level: float = DEFAULT_LEVEL) -> Score:
    """Raises ScoreOutOfRange when the histogram holds a score that the metric does not have."""
    bands = histogram.bands(metric)
    value = value_of(histogram, metric=metric)
    estimate = _estimate(histogram, metric=metric, level=level)
    if value is None or estimate is None:
        return Score(metric, histogram.n, value, bands, None, None)
    interval = estimate.interval(level, around=value, floor=metric.floor, ceiling=metric.ceiling)
    return Score(metric, histogram.n, value, bands, estimate.margin, interval)


def value_of(histogram: Histogram, *, metric: Metric) -> Fraction | None:
    """The exact score in the metric's points; None without answers. Raises ScoreOutOfRange."""
    n, bands = histogram.n, histogram.bands(metric)
    if n == 0:
        return None
    if metric.formula is Formula.MEAN:
        return Fraction(histogram.total, n)
    against = bands[Band.DETRACTOR] if metric.formula is Formula.NET else 0
    return Fraction(100 * (bands[Band.PROMOTER] - against), n)


class Estimate(NamedTuple):
    """Where an interval is centred, how uncertain that is, and how many standard errors it spans to each side."""

    centre: float
    variance: float
    critical: float
    method: str

    @property
    def margin(self) -> float:
        return self.critical * math.sqrt(self.variance)

    def interval(self, level: float, *, around: Fraction, floor: float, ceiling: float) -> Interval:
        """Cut to the scale, and stretched to hold the plain value.

        The adjustment pulls unanimous answers of very few people (at 95 %: of one) so far in that their own value
        would lie outside; an interval that denies the number beside it helps nobody, and stretching only adds coverage.
        """
        low = max(floor, min(self.centre - self.margin, float(around)))
        high = min(ceiling, max(self.centre + self.margin, float(around)))
        return Interval(low, high, level, self.method)


def _estimate(histogram: Histogram, *, metric: Metric, level: float) -> Estimate | None:
    if histogram.n == 0:
        return None
    z = critical_z(level)
    match metric.formula:
        case Formula.NET:
            return Estimate(*adjusted_net(histogram.bands(metric)), z, "adjusted_wald")
        case Formula.SHARE:
            share = adjusted_share(histogram.bands(metric), successes=z * z / 2)
            return Estimate(*share, z, "adjusted_wald")
        case Formula.MEAN:
            return _estimate_of_mean(histogram, level=level)


def adjusted_net(bands: Mapping[Band, int]) -> tuple[float, float]:
    """Centre and variance of a net score after adding three answers: ¾ promoter, 1½ passive, ¾ detractor.

    Bonett & Price (2012), "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data", J. Educational and Behavioral Statistics 37(4); found best for NPS by Rocks (2016), The American Statistician
    70(4), and by Lewis & Sauro (2021), measuringu.com/nps-confidence-intervals.
    """
    n = sum(bands.values()) + 3
    promoters = (bands[Band.PROMOTER] + Fraction(3, 4)) / n
    detractors = (bands[Band.DETRACTOR] + Fraction(3, 4)) / n
    centre = promoters - detractors
    variance = (promoters + detractors - centre * centre) / n
    return float(100 * centre), float(10_000 * variance)


def adjusted_share(bands: Mapping[Band, int], *, successes: float) -> tuple[float, float]:
    """Centre and variance of a share after adding as many promoters as others.

    z²/2 of each for one share: Agresti & Coull (1998), The American Statistician 52(2); recommended for small samples
    by Sauro & Lewis (2005). One of each for the difference of two: Agresti & Caffo (2000), ibid. 54(4).
    """
    n = sum(bands.values()) + 2 * successes
    share = (bands[Band.PROMOTER] + successes) / n
    return 100 * share, 10_000 * share * (1 - share) / n


def _estimate_of_mean(histogram: Histogram, *, level: float) -> Estimate | None:
    """Student's t interval (Student 1908): mean ± t · s/√n with n − 1 degrees of freedom."""
    variance = variance_of_mean(histogram)
    if not variance:
        return None
    return Estimate(histogram.mean, variance, critical_t(level, df=histogram.n - 1), "student_t")


def variance_of_mean(histogram: Histogram) -> float | None:
    """s²/n with the n − 1 divisor, from whole numbers; None for fewer than two answers."""
    n, total = histogram.n, histogram.total
    if n < 2:
        return None
    squares = sum(count * score * score for score, count in enumerate(histogram.counts))
    return float(Fraction(n * squares - total * total, n * n * (n - 1)))


def percentages(counts: Sequence[int]) -> list[float]:
    """Shares in % with one decimal that add up to exactly 100.0 (largest remainder); all 0.0 without answers.

    Every share is rounded down to a tenth, and the tenths left over go to those who lost most; among equals the
    earlier wins.
    """
    n = sum(counts)
    if n == 0:
        return [0.0 for _ in counts]
    tenths = [1000 * count // n for count in counts]
    by_loss = sorted(range(len(counts)), key=lambda at: -(1000 * counts[at] % n))
    for at in by_loss[: 1000 - sum(tenths)]:
        tenths[at] += 1
    return [tenth / 10 for tenth in tenths]


def rounded(value: Fraction | float | None, *, places: int = 2) -> float | None:
    """For showing; halves go away from zero, as in PostgreSQL's round(numeric), and there is no −0.0."""
    if value is None:
        return None
    scale = 10**places
    steps = math.floor(abs(Fraction(value)) * scale + Fraction(1, 2))
    return math.copysign(steps / scale, value) if steps else 0.0
