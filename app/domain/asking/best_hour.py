"""At which hour people answer best, learnt from whom was asked when and who answered.

Hours are judged by the lower end of Wilson's interval (Wilson 1927, J. American Statistical Association 22(158), eq. 5;
used for ranking by Miller 2009, "How not to sort by average rating"): an hour in which three of four answered has shown
less than one in which three hundred of a thousand did.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from app.domain.audience.stable_hash import fraction_of
from app.domain.scores.student_t import critical_z

FEWEST_ANSWERS = 50  # in all; before that every hour is as good
FEWEST_ASKED = 30  # in one hour, for it to be compared
LEVEL = 0.95
# Asked at any open hour nevertheless: what is only ever tried once is never found to have changed.
STILL_TRYING = 0.2


class HourCounts(NamedTuple):
    """How many were asked in an hour of their own day, and how many of them have answered, whenever they did."""

    asked: int
    answered: int


def best_hour(by_hour: Mapping[int, HourCounts]) -> int | None:
    """The hour, 0–23, whose response rate is the best for certain; None while the plain spread will do as well.

    None with few answers, with fewer than two hours to compare, and when even the best hour's lower end is no better
    than all the others together. Of equals it is the earlier.
    """
    if sum(hour.answered for hour in by_hour.values()) < FEWEST_ANSWERS:
        return None
    judged = {hour: counts for hour, counts in by_hour.items() if counts.asked >= FEWEST_ASKED}
    if len(judged) < 2:
        return None
    best = max(sorted(judged), key=lambda hour: lowest_rate(judged[hour]))
    others = [counts for hour, counts in judged.items() if hour != best]
    rate_of_others = sum(counts.answered for counts in others) / sum(counts.asked for counts in others)
    return best if lowest_rate(judged[best]) > rate_of_others else None


def hour_for(person: UUID, *, best: int | None, seed: str) -> int | None:
    """The best hour for most, and None, any hour, for those by whom the others are tried."""
    return None if best is None or fraction_of(f"hour:{seed}", person) < STILL_TRYING else best


def lowest_rate(hour: HourCounts) -> float:
    """The lower end of Wilson's interval for a share."""
    n, share, z = hour.asked, hour.answered / hour.asked, critical_z(LEVEL)
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (centre - spread) / (1 + z * z / n))
