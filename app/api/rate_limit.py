"""A token bucket for each key in this process: with several processes, a key may do that many times as much."""

from time import monotonic
from uuid import UUID

from app.api.problems import Refused

REMEMBERED_KEYS = 10_000
BURST_SECONDS = 2


class RateLimit:
    def __init__(self, per_second: int) -> None:
        """0 means unlimited. As much as two seconds allow may come at once."""
        self.per_second, self.burst = per_second, per_second * BURST_SECONDS
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

    def _refuse(self) -> None:
        detail = f"This key may send {self.burst} requests at once to one process, and {self.per_second} a second."
        raise Refused("rate_limited", detail, headers={"Retry-After": "1", **self._headers()})

    def _headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.burst),
            "RateLimit-Policy": f"{self.burst};w={BURST_SECONDS}",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": "1",
        }
