from collections import Counter

import pytest

from app.domain.scores.funnel import Funnel, Step, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe (1998), "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
    ],
)
def test_wilsons_interval_is_the_published_one(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert found is not None
    assert (round(found.low, 2), round(found.high, 2)) == (low, high)


def test_everybody_is_no_more_than_all() -> None:
    found = wilson(7, 7)
    assert found is not None
    assert found.low > 60
    assert found.high == pytest.approx(100)
    assert found.high <= 100


def test_nothing_sent_has_no_rate() -> None:
    assert (Funnel().response_rate, Funnel().share) == (None, None)


def test_funnels_add_up() -> None:
    one = Funnel(Counter({Step.SENT: 2}), Counter({"quarantine": 1}), 1)
    both = one + one
    assert (both.counts[Step.SENT], both.skipped["quarantine"], both.share) == (4, 2, 50.0)
