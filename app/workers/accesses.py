"""What connectors got by logging in, kept in memory for as long as it is good. Who comes meanwhile waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from uuid import UUID

from app.domain.connectors.protocol import Access
from app.domain.webhooks.attempts import Outcome

KEPT = 10_000

LogIn = Callable[[], Awaitable[Access | Outcome]]


class Accesses:
    def __init__(self) -> None:
        self._kept: dict[tuple[UUID, int], tuple[Access, float]] = {}
        self._turns: dict[UUID, asyncio.Lock] = {}

    async def of(self, endpoint_id: UUID, *, settings: int, log_in: LogIn) -> Access | Outcome:
        """`settings` is a digest: with other credentials it is another access. An outcome says why there is none.

        One log-in at a time for each endpoint, since services ration them, and some take back the previous one.
        """
        if len(self._turns) > KEPT:
            self._turns.clear()
            self._kept.clear()
        async with self._turns.setdefault(endpoint_id, asyncio.Lock()):
            access, ends_at = self._kept.get((endpoint_id, settings), (None, 0.0))
            if access is not None and monotonic() < ends_at:
                return access
            got = await log_in()
            if isinstance(got, Access):
                self._kept[endpoint_id, settings] = got, monotonic() + got.seconds
            return got

    def forget(self, endpoint_id: UUID, *, settings: int, access: Access) -> None:
        """One that was refused, unless somebody has a newer one already."""
        if self._kept.get((endpoint_id, settings), (None, 0.0))[0] is access:
            del self._kept[endpoint_id, settings]
