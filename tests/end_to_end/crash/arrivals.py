"""What the receiver got, read back from its log."""

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

WELL = frozenset({"well", "slow"})
SETTLING_SECONDS = 1.0  # by which a death may come before an arrival and still be why it could not be settled


@dataclass(slots=True)
class Arrivals:
    first: dict[tuple[str, str], float] = field(default_factory=dict)  # when each (endpoint, webhook-id) first came
    repeats: list[tuple[float, float]] = field(default_factory=list)  # of one that went well: when, and when again
    times: list[float] = field(default_factory=list)
    moods: Counter[str] = field(default_factory=Counter)
    forged: int = 0  # whose signature was wrong
    rewritten: int = 0  # that came with another body, or id inside, than before
    ids_of: dict[tuple[str, str, int], set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def renamed(self) -> int:
        """Changes of a response that were told under more than one id."""
        return sum(len(ids) > 1 for ids in self.ids_of.values())

    def needless(self, deaths: Sequence[float]) -> int:
        """Repeats of what had gone well, although nobody had died meanwhile. `deaths` are sorted."""
        return sum(
            (death := first_after(deaths, taken_at - SETTLING_SECONDS)) is None or death > again_at
            for taken_at, again_at in self.repeats
        )

    def at(self, endpoint: str) -> set[str]:
        return {webhook_id for name, webhook_id in self.first if name == endpoint}

    def created_at(self, endpoint: str) -> dict[str, float]:
        """When each response was first told of."""
        told = [(of, ids) for (kind, of, _), ids in self.ids_of.items() if kind == "response.created"]
        return {of: self.first[endpoint, one] for of, ids in told for one in ids if (endpoint, one) in self.first}


def read_arrivals(log: Path) -> Arrivals:
    arrivals = Arrivals()
    digests: dict[tuple[str, str, bool], str] = {}
    taken: dict[tuple[str, str], float] = {}
    with log.open() as lines:
        for said in map(json.loads, lines):
            if "forged" in said:
                arrivals.forged += 1
                continue
            delivery = (said["name"], said["id"])
            arrivals.first.setdefault(delivery, said["at"])
            arrivals.times.append(said["at"])
            if delivery in taken:
                arrivals.repeats.append((taken[delivery], said["at"]))
            if said["mood"] in WELL:
                taken[delivery] = said["at"]
            arrivals.moods[said["mood"]] += 1
            # What is deleted meanwhile is told once more without what it said: a body of its own, and always the same.
            arrivals.rewritten += digests.setdefault((*delivery, said["redacted"]), said["digest"]) != said["digest"]
            arrivals.rewritten += said["inside"] != said["id"]
            if said["type"].startswith("response."):
                arrivals.ids_of[said["type"], said["of"], said["revision"]].add(said["id"])
    arrivals.times.sort()
    return arrivals


def longest_wait(began: float, ended: float, restarts: Sequence[float]) -> float:
    """From `began` to `ended`, or from the last of the `restarts` (sorted) before the end, if that is later."""
    before = bisect_right(restarts, ended)
    return max(0.0, ended - max(began, restarts[before - 1] if before else began))


def first_after(moments: Sequence[float], at: float) -> float | None:
    """`moments` are sorted."""
    place = bisect_left(moments, at)
    return moments[place] if place < len(moments) else None
