"""From being planned to a comment: how many invitations came how far, and what became of the others."""

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from app.domain.scores.scoring import DEFAULT_LEVEL, Interval
from app.domain.scores.student_t import critical_z


class Step(StrEnum):
    """In order. Who answers has opened the page; one that was excluded, as a scanner's is, or deleted is no answer."""

    PLANNED = "planned"
    SENT = "sent"
    DELIVERED = "delivered"  # known only of mail services that tell
    PAGE_OPENED = "page_opened"
    ANSWERED = "answered"
    COMMENTED = "commented"


class Aside(StrEnum):
    """What else is counted. One invitation may be among several."""

    WAITING = "waiting"
    REMINDED = "reminded"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    EXPIRED = "expired"
    RELEASED = "released"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the sender died; perhaps it was sent
    FLAGGED = "flagged"  # looked like a scanner
    SCANNER_HITS = "scanner_hits"


@dataclass(frozen=True, slots=True)
class Funnel:
    """`counts`: by Step and Aside; `skipped`: by reason; `answered_of_sent` leaves out who answered unasked."""

    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    answered_of_sent: int = 0

    def __add__(self, other: Self) -> "Funnel":
        return Funnel(
            self.counts + other.counts, self.skipped + other.skipped, self.answered_of_sent + other.answered_of_sent
        )

    @property
    def response_rate(self) -> Interval | None:
        """In per cent, around `share`; None when nothing was sent."""
        return wilson(self.answered_of_sent, self.counts[Step.SENT])

    @property
    def share(self) -> float | None:
        sent = self.counts[Step.SENT]
        return 100 * self.answered_of_sent / sent if sent else None


def wilson(successes: int, n: int, *, level: float = DEFAULT_LEVEL) -> Interval | None:
    """The interval of a share, in per cent; None for n = 0.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference", J. American Statistical
    Association 22(158), eq. 5; recommended for any n by Brown, Cai & DasGupta (2001), Statistical Science 16(2).
    """
    if n == 0:
        return None
    z, share = critical_z(level), successes / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    shrink = 1 + z * z / n
    low, high = (centre - spread) / shrink, (centre + spread) / shrink
    return Interval(100 * max(0.0, low), 100 * min(1.0, high), level, "wilson")
