"""Is this change real? Two histograms, one difference, one verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from app.domain.scores.metric import Formula, Metric
from app.domain.scores.scoring import (
    DEFAULT_LEVEL,
    Estimate,
    Histogram,
    Interval,
    adjusted_net,
    adjusted_share,
    value_of,
    variance_of_mean,
)
from app.domain.scores.student_t import critical_t, critical_z, normal_two_sided_p, two_sided_p

# On each side. Below this one answer moves an NPS by more than ten points, and the methods used were evaluated for
# samples from about this size: better no verdict than a coin toss dressed up as one.
FEWEST_TO_JUDGE = 10


class Verdict(StrEnum):
    UP = "up"
    DOWN = "down"
    NO_REAL_CHANGE = "no_real_change"
    TOO_FEW = "too_few"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Verdict.UP: "Up, and unlikely to be chance",
    Verdict.DOWN: "Down, and unlikely to be chance",
    Verdict.NO_REAL_CHANGE: "No real change: this may well be chance",
    Verdict.TOO_FEW: "Too few answers to tell",
}


@dataclass(frozen=True, slots=True)
class Change:
    """`difference` is after − before, in the metric's points, exact; None when either side has no answers.

    `is_significant` and `p_value` are None, and the verdict is too_few, when either side has fewer than FEWEST_TO_JUDGE
    answers, or when both are without any spread. It is significant exactly when the interval leaves out 0.
    """

    difference: Fraction | None
    interval: Interval | None
    p_value: float | None
    is_significant: bool | None
    verdict: Verdict


def compare(metric: Metric, *, before: Histogram, after: Histogram, level: float = DEFAULT_LEVEL) -> Change:
    """Independent samples: the same person answering in both periods makes the verdict a cautious one.

    Net scores: difference of two adjusted scores, variances added, against the normal distribution (Lewis & Sauro
    2021, measuringu.com/nps-significance-test). Shares: Agresti & Caffo (2000). Means: Welch's t test (Welch 1947).
    Raises ScoreOutOfRange when a histogram holds a score that the metric does not have.
    """
    was, now = value_of(before, metric=metric), value_of(after, metric=metric)
    if was is None or now is None:
        return Change(None, None, None, None, Verdict.TOO_FEW)
    is_mean = metric.formula is Formula.MEAN
    test = _test_of_means(before, after, level) if is_mean else _z_test(metric, before, after, level)
    if test is None:
        return Change(now - was, None, None, None, Verdict.TOO_FEW)
    estimate, p_value = test
    span = metric.ceiling - metric.floor
    interval = estimate.interval(level, around=now - was, floor=-span, ceiling=span)
    if min(before.n, after.n) < FEWEST_TO_JUDGE:
        return Change(now - was, interval, None, None, Verdict.TOO_FEW)
    is_significant = abs(estimate.centre) > estimate.margin
    return Change(now - was, interval, p_value, is_significant, _verdict(estimate, is_significant=is_significant))


def compare_arms(metric: Metric, arms: Sequence[Histogram], *, level: float = DEFAULT_LEVEL) -> list[Change]:
    """Each arm of an experiment but the first with the first, as `compare` does; different people in each.

    The more arms, the likelier one of them differs by chance. So p-values are adjusted as by Holm (1979), "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), among the comparisons that
    can be judged, and `is_significant` and the verdict go by them. Intervals are those of each difference alone.
    """
    changes = [compare(metric, before=arms[0], after=arm, level=level) for arm in arms[1:]]
    adjusted = iter(_adjusted_by_holm([change.p_value for change in changes if change.p_value is not None]))
    return [
        change if change.p_value is None else _judged_anew(change, next(adjusted), level=level) for change in changes
    ]


def _adjusted_by_holm(p_values: Sequence[float]) -> list[float]:
    """The smallest times how many there are, the next times one fewer, …; none below the one before, none above 1."""
    adjusted, highest = list(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        highest = max(highest, min(1.0, p_values[at] * (len(p_values) - rank)))
        adjusted[at] = highest
    return adjusted


def _judged_anew(change: Change, p_value: float, *, level: float) -> Change:
    """One that was not significant by itself never is beside others."""
    if change.is_significant and p_value > 1 - level:
        return replace(change, p_value=p_value, is_significant=False, verdict=Verdict.NO_REAL_CHANGE)
    return replace(change, p_value=p_value)


def _verdict(estimate: Estimate, *, is_significant: bool) -> Verdict:
    if not is_significant:
        return Verdict.NO_REAL_CHANGE
    return Verdict.UP if estimate.centre > 0 else Verdict.DOWN


def _z_test(metric: Metric, before: Histogram, after: Histogram, level: float) -> tuple[Estimate, float]:
    was, was_variance = _adjusted(metric, before)
    now, now_variance = _adjusted(metric, after)
    difference = Estimate(now - was, was_variance + now_variance, critical_z(level), "adjusted_wald")
    return difference, normal_two_sided_p(difference.centre / math.sqrt(difference.variance))


def _adjusted(metric: Metric, histogram: Histogram) -> tuple[float, float]:
    bands = histogram.bands(metric)
    return adjusted_net(bands) if metric.formula is Formula.NET else adjusted_share(bands, successes=1)


def _test_of_means(before: Histogram, after: Histogram, level: float) -> tuple[Estimate, float] | None:
    """None where the answers show no spread from which to tell."""
    was_variance, now_variance = variance_of_mean(before), variance_of_mean(after)
    if was_variance is None or now_variance is None or was_variance + now_variance == 0:
        return None
    variance = was_variance + now_variance
    df = variance**2 / (was_variance**2 / (before.n - 1) + now_variance**2 / (after.n - 1))
    difference = Estimate(after.mean - before.mean, variance, critical_t(level, df=df), "welch_t")
    return difference, two_sided_p(difference.centre / math.sqrt(variance), df=df)
