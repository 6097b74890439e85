"""Room for attempts under way. One that hangs is only waiting, so after a moment somebody else may use its place."""

import asyncio
from collections.abc import Callable

HANGING_SECONDS = 1.0
HANGING_LIMIT = 8  # times as many may hang, beside those that use a place


class Places:
    def __init__(self, count: int, *, freed: Callable[[], None], hangs: Callable[[], None]) -> None:
        """`freed` is told whenever a place can be taken that could not before, `hangs` when an attempt begins to."""
        self.free = count
        self.hanging, self.hanging_limit = 0, count * HANGING_LIMIT
        self.freed, self.hangs = freed, hangs

    def take(self) -> "Place":
        """There must be a free one."""
        self.free -= 1
        return Place(self)


class Place:
    __slots__ = ("_is_hanging", "_places", "_timer")

    def __init__(self, places: Places) -> None:
        self._places = places
        self._is_hanging = False
        self._timer = asyncio.get_running_loop().call_later(HANGING_SECONDS, self._hang)

    def give_back(self) -> None:
        self._timer.cancel()
        if self._is_hanging:
            self._places.hanging -= 1
        else:
            self._places.free += 1
            self._places.freed()

    def _hang(self) -> None:
        if self._places.hanging < self._places.hanging_limit:
            self._is_hanging = True
            self._places.hanging += 1
            self._places.free += 1
            self._places.freed()
            self._places.hangs()
