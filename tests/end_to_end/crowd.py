"""Many callers at once, who note what they are told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

import aiohttp

from tests.end_to_end.crash.clients import World

PROBLEM = "application/problem+json"
ROUTES = {"record", "bulk", "amend", "read", "score"}


@dataclass(slots=True)
class Crowd:
    session: aiohttp.ClientSession
    world: World
    answered: Counter[int] = field(default_factory=Counter)  # by status
    wrong: Counter[str] = field(default_factory=Counter)  # what nobody should be told; a deliberate 503 they may
    last_good: dict[str, float] = field(default_factory=dict)  # when each route last did what was asked
    is_calling: bool = False

    @asynccontextmanager
    async def calling(self, callers: int) -> AsyncIterator[None]:
        self.is_calling = True
        async with asyncio.TaskGroup() as tasks:
            for number in range(callers):
                tasks.create_task(self._call(number))
            try:
                yield
            finally:
                self.is_calling = False

    async def until_all_is_well(self, *, seconds: float) -> None:
        """Every kind of route has done once more what it was asked."""
        since = monotonic()
        async with asyncio.timeout(seconds):
            while any(self.last_good.get(route, 0.0) < since for route in ROUTES):  # noqa: ASYNC110 - bounded
                await asyncio.sleep(0.05)

    async def _call(self, number: int) -> None:
        """The recording lane, a bulk, a transaction of the request's own, a look, a score."""
        response_id = ""
        for turn in count():
            if not self.is_calling:
                return
            said = {"campaign_id": self.world.campaign_id, "score": turn % 11}
            person = {"recipient": {"external_id": f"caller-{number}"}, "occasion": f"turn-{turn}-{monotonic()}"}
            recorded = await self._ask("record", "POST", "/v1/responses", {**said, **person})
            response_id = recorded["id"] if recorded else response_id
            await self._ask("bulk", "POST", "/v1/responses/bulk", {"responses": [said] * 3})
            if response_id:
                await self._ask("amend", "PATCH", f"/v1/responses/{response_id}", {"score": (turn + 1) % 11})
                await self._ask("read", "GET", f"/v1/responses/{response_id}")
            await self._ask("score", "GET", f"/v1/scores?campaign_id={self.world.campaign_id}")

    async def _ask(self, route: str, method: str, path: str, body: Any = None) -> Any:
        """What was made or found; None if it was refused, or the crowd has gone home."""
        if not self.is_calling:
            return None
        try:
            async with self.session.request(method, path, json=body) as reply:
                said = await reply.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.wrong[f"{route}: {error!r}"] += 1
            return None
        self.answered[reply.status] += 1
        if reply.status < 300:
            self.last_good[route] = monotonic()
            return said
        if reply.status != 503 or reply.content_type != PROBLEM or "retry-after" not in reply.headers:
            self.wrong[f"{route}: {reply.status} {said}"] += 1
        return None
