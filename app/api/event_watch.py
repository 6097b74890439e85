"""Callers that wait for events. While anybody waits, one statement looks for all of them, a few times a second.

A waiting caller holds no connection to the database; docs/decisions/the-feed-is-long-polled.md says why so.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from app.api.problems import Refused
from app.db.engine import Engine
from app.queries.events import FeedPlace, places_with_news

LOOK_SECONDS = 0.2
WAITING_PER_KEY = 10  # in one process


@dataclass(eq=False, slots=True)
class _Waiter:
    place: FeedPlace
    called: asyncio.Event = field(default_factory=asyncio.Event)


class EventWatch:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seats: Counter[UUID] = Counter()
        self._waiting: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    @contextmanager
    def seat(self, key_id: UUID) -> Iterator[None]:
        """For one waiting caller. Raises `Refused` 429."""
        if self._seats[key_id] >= WAITING_PER_KEY:
            detail = f"{WAITING_PER_KEY} requests with this key wait already."
            raise Refused("too_many_waiting", detail, headers={"Retry-After": "5"})
        self._seats[key_id] += 1
        try:
            yield
        finally:
            self._seats[key_id] -= 1
            self._seats += Counter()  # forgets who has none left

    async def wait(self, place: FeedPlace, *, seconds: float) -> bool:
        """Whether it is worth looking behind this place, or else the time is up, or this process about to stop."""
        if self._is_closed:
            return False
        waiter = _Waiter(place)
        self._waiting.add(waiter)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                await waiter.called.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiter)
        return not self._is_closed

    def close(self) -> None:
        """Nobody waits any longer: they get what there is, and may come back."""
        self._is_closed = True
        self._call(self._waiting)

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            self._call(await self._with_news(list(self._waiting)))

    async def _with_news(self, waiting: list[_Waiter]) -> list[_Waiter]:
        try:
            async with self._engine.read() as tx:
                numbers = await places_with_news(tx, [waiter.place for waiter in waiting])
        except Exception:  # noqa: BLE001 - each looks for itself then, and tells its caller what is wrong
            return waiting
        return [waiting[number] for number in numbers]

    def _call(self, waiters: "set[_Waiter] | list[_Waiter]") -> None:
        for waiter in waiters:
            waiter.called.set()
