"""Room for attempts under way. One that hangs is only waiting, so after a moment somebody else may use its place."""

import asyncio
from collections.abc import Callable
from types import TracebackType

HANGING_SECONDS = 1.0
HANGING_LIMIT = 8  # times as many may hang, beside those that use a place


class Places:
    def __init__(self, count: int, *, freed: Callable[[], None]) -> None:
        """`freed` is told when an attempt begins to hang."""
        self.slots = asyncio.Semaphore(count)
        self.hanging, self.hanging_limit = 0, count * HANGING_LIMIT
        self.freed = freed

    def open(self, count: int) -> None:
        """At the end, when whoever still waits for a place will not use it."""
        for _ in range(count):
            self.slots.release()

    def take(self) -> "Place":
        return Place(self)


class Place:
    __slots__ = ("_is_hanging", "_places", "_timer")

    def __init__(self, places: Places) -> None:
        self._places = places
        self._is_hanging = False

    async def __aenter__(self) -> None:
        await self._places.slots.acquire()
        self._timer = asyncio.get_running_loop().call_later(HANGING_SECONDS, self._hang)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._is_hanging:
            self._places.hanging -= 1
        else:
            self._places.slots.release()

    def _hang(self) -> None:
        if self._places.hanging < self._places.hanging_limit:
            self._is_hanging = True
            self._places.hanging += 1
            self._places.slots.release()
            self._places.freed()
