"""A token bucket for each key in this process: with several processes, a key may do that many times as much."""

from time import monotonic
from uuid import UUID

from app.api.problems import Refused

REMEMBERED_KEYS = 10_000


class RateLimit:
    def __init__(self, per_second: int) -> None:
        """0 means unlimited. A burst of two seconds' worth is allowed."""
        self.per_second, self.burst = per_second, per_second * 2
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def spend(self, key_id: UUID) -> None:
        """Raises `Refused` 429."""
        if self.per_second == 0:
            return
        now = monotonic()
        tokens, since = self._buckets.get(key_id, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - since) * self.per_second)
        if len(self._buckets) >= REMEMBERED_KEYS:
            self._buckets.clear()
        self._buckets[key_id] = (max(tokens - 1, 0.0), now) if tokens >= 1 else (tokens, now)
        if tokens < 1:
            self._refuse()

    def headers(self, key_id: UUID) -> dict[str, str]:
        tokens, _ = self._buckets.get(key_id, (float(self.burst), 0.0))
        return {} if self.per_second == 0 else _headers(self.burst, int(tokens))

    def _refuse(self) -> None:
        detail = f"This key may send {self.per_second} requests a second to one process."
        raise Refused("rate_limited", detail, headers={"Retry-After": "1", **_headers(self.burst, 0)})


def _headers(limit: int, remaining: int) -> dict[str, str]:
    return {"RateLimit-Limit": str(limit), "RateLimit-Remaining": str(remaining), "RateLimit-Reset": "1"}
