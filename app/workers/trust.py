"""What this process has seen of endpoints itself, a moment ago: sooner than the database knows how an attempt ended.

The breaker in the database pauses an endpoint that fails; this only keeps the first minute of an outage from costing
the others their places.
"""

from uuid import UUID

FAILURES = 5  # in a row, or as many hanging as a doubted endpoint may have
SHARE_OF_THE_DOUBTED = 16  # the cap is divided by it
REMEMBERED = 10_000


class Trust:
    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._cap_of_the_doubted = max(1, cap // SHARE_OF_THE_DOUBTED)
        self._failures: dict[UUID, int] = {}
        self._hanging: dict[UUID, int] = {}
        self._proven: set[UUID] = set()

    def cap_of(self, endpoint_id: UUID) -> int:
        """Few until it has answered once, which costs those that answer a moment, and those that hang their flood."""
        is_trusted = endpoint_id in self._proven and not self.doubts(endpoint_id)
        return self._cap if is_trusted else self._cap_of_the_doubted

    def doubts(self, endpoint_id: UUID) -> bool:
        hanging = self._hanging.get(endpoint_id, 0)
        return hanging >= self._cap_of_the_doubted or self._failures.get(endpoint_id, 0) >= FAILURES

    def note_hanging(self, endpoint_id: UUID) -> None:
        """An attempt takes long. One that then arrives, like any other, restores the trust."""
        _count(self._hanging, endpoint_id)

    def note(self, endpoint_id: UUID, *, is_delivered: bool) -> None:
        if is_delivered:
            self._failures.pop(endpoint_id, None)
            self._hanging.pop(endpoint_id, None)
            self._prove(endpoint_id)
        else:
            _count(self._failures, endpoint_id)

    def _prove(self, endpoint_id: UUID) -> None:
        if len(self._proven) >= REMEMBERED:
            self._proven.clear()
        self._proven.add(endpoint_id)


def _count(counts: dict[UUID, int], endpoint_id: UUID) -> None:
    if len(counts) >= REMEMBERED:
        counts.clear()
    counts[endpoint_id] = counts.get(endpoint_id, 0) + 1
