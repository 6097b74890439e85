"""Room for attempts under way. One that hangs is only waiting, so after a moment somebody else may use its place."""

import asyncio
from collections.abc import Callable

HANGING_SECONDS = 1.0
HANGING_LIMIT = 8  # times as many may hang, beside those that use a place
SHARE_OF_THE_DOUBTED = 4  # of that many places, one is for endpoints that let us wait or fail


class Places:
    def __init__(self, count: int, *, freed: Callable[[], None]) -> None:
        """`freed` is told whenever a place can be taken that could not before."""
        self.free = count
        self.free_for_doubted = max(1, count // SHARE_OF_THE_DOUBTED)
        self.hanging, self.hanging_limit = 0, count * HANGING_LIMIT
        self.freed = freed

    def take(self, *, is_doubted: bool, hangs: Callable[[], None]) -> "Place":
        """There must be a free one. `hangs` is told when the attempt begins to."""
        self.free -= 1
        if is_doubted:
            self.free_for_doubted -= 1
        return Place(self, is_doubted=is_doubted, hangs=hangs)


class Place:
    __slots__ = ("_hangs", "_is_doubted", "_is_hanging", "_places", "_timer")

    def __init__(self, places: Places, *, is_doubted: bool, hangs: Callable[[], None]) -> None:
        self._places, self._hangs = places, hangs
        self._is_doubted, self._is_hanging = is_doubted, False
        self._timer = asyncio.get_running_loop().call_later(HANGING_SECONDS, self._hang)

    def give_back(self) -> None:
        self._timer.cancel()
        if self._is_hanging:
            self._places.hanging -= 1
        else:
            self._free()

    def _hang(self) -> None:
        if self._places.hanging < self._places.hanging_limit:
            self._is_hanging = True
            self._places.hanging += 1
            self._free()
        self._hangs()

    def _free(self) -> None:
        self._places.free += 1
        if self._is_doubted:
            self._places.free_for_doubted += 1
        self._places.freed()
