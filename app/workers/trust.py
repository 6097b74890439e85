"""How much an endpoint may have in flight: less once it fails, so that few attempts hang on one that is dead."""

from uuid import UUID

FAILURES = 5  # in a row, as far as this process has seen
SHARE_OF_THE_FAILING = 16  # the cap is divided by it
REMEMBERED = 10_000


class Trust:
    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._cap_of_the_failing = max(1, cap // SHARE_OF_THE_FAILING)
        self._failures: dict[UUID, int] = {}

    def cap_of(self, endpoint_id: UUID) -> int:
        return self._cap_of_the_failing if self._failures.get(endpoint_id, 0) >= FAILURES else self._cap

    def note(self, endpoint_id: UUID, *, is_delivered: bool) -> None:
        if is_delivered:
            self._failures.pop(endpoint_id, None)
            return
        if len(self._failures) >= REMEMBERED:
            self._failures.clear()
        self._failures[endpoint_id] = self._failures.get(endpoint_id, 0) + 1
