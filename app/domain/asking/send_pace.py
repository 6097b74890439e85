"""How fast mail may go out: caps per hour, per hour and mail domain, and per day while a sender is new.

An hour is the last sixty minutes, whatever the clock shows, so that no two caps' worth leave around a full hour.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from app.domain.asking.asking_invalid import check_range

FASTEST_PER_HOUR = 1_000_000
FASTEST_GROWTH = 10.0  # times, from one day to the next
NEVER_BOUND = 1 << 53  # a warm-up that has grown this far caps nothing


@dataclass(frozen=True, slots=True)
class WarmUp:
    """So many on the first day, and `growth` times as many on each day after it.

    Mail services distrust an address that suddenly sends much; they advise doubling from a few hundred.
    Raises AskingInvalid when made with numbers out of range.
    """

    first_day: int
    growth: float

    def __post_init__(self) -> None:
        check_range("pace/warm_up/first_day", self.first_day, 1, FASTEST_PER_HOUR)
        check_range("pace/warm_up/growth", self.growth, 1, FASTEST_GROWTH)

    def cap_on(self, day: int) -> int:
        """`day` counts from 0, which is the first on which anything was sent."""
        grown = math.log(self.first_day) + day * math.log(self.growth)
        if grown >= math.log(NEVER_BOUND):
            return NEVER_BOUND
        return math.floor(self.first_day * self.growth**day)


@dataclass(frozen=True, slots=True)
class Pace:
    """None: no such cap. Raises AskingInvalid when made with numbers out of range."""

    per_hour: int | None = None
    per_domain_per_hour: int | None = None
    warm_up: WarmUp | None = None

    def __post_init__(self) -> None:
        for name in ("per_hour", "per_domain_per_hour"):
            cap = getattr(self, name)
            if cap is not None:
                check_range(f"pace/{name}", cap, 1, FASTEST_PER_HOUR)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote, or input whose types were checked. Raises AskingInvalid."""
        warm_up = content.get("warm_up")
        return cls(
            content.get("per_hour"),
            content.get("per_domain_per_hour"),
            None if warm_up is None else WarmUp(warm_up["first_day"], warm_up["growth"]),
        )

    def to_json(self) -> dict[str, Any]:
        warm_up = self.warm_up and {"first_day": self.warm_up.first_day, "growth": self.warm_up.growth}
        return {"per_hour": self.per_hour, "per_domain_per_hour": self.per_domain_per_hour, "warm_up": warm_up}


@dataclass(frozen=True, slots=True)
class Sent:
    """What has gone out already. `warm_up_day` counts from 0, the first day on which anything did."""

    last_hour: int = 0
    today: int = 0
    warm_up_day: int = 0
    last_hour_by_domain: Mapping[str, int] = field(default_factory=dict)


def room_left(pace: Pace, sent: Sent) -> int | None:
    """How many more may go out now, whatever their domains; None: as many as there are."""
    room = [] if pace.per_hour is None else [pace.per_hour - sent.last_hour]
    room += [] if pace.warm_up is None else [pace.warm_up.cap_on(sent.warm_up_day) - sent.today]
    return max(0, min(room)) if room else None


def admitted(domains: Sequence[str], *, pace: Pace, sent: Sent) -> list[int]:
    """Which of those waiting may go out now, by their places in the queue of `domains`; in order.

    One domain at its cap lets the others pass.
    """
    return list(_admitted(domains, pace=pace, sent=sent))


def _admitted(domains: Sequence[str], *, pace: Pace, sent: Sent) -> Iterator[int]:
    left = room_left(pace, sent)
    by_domain = Counter(sent.last_hour_by_domain)
    for place, domain in enumerate(domains):
        if left == 0:
            return
        if pace.per_domain_per_hour is not None and by_domain[domain] >= pace.per_domain_per_hour:
            continue
        by_domain[domain] += 1
        left = None if left is None else left - 1
        yield place


def days_needed(people: int, warm_up: WarmUp) -> int:
    """On how many days a warm-up lets so many out."""
    days, sent = 0, 0
    while sent < people:
        sent += warm_up.cap_on(days)
        days += 1
    return days
