"""Do a step, again and again, until told to stop; survive a database that goes away."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import structlog

from app.db.group_commit import is_outage
from app.db.lane import Lane

log = structlog.get_logger()

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
STATUS_OF_A_NOTED_FAILURE = 3  # of a process that has said itself what went wrong

Step = Callable[[], Awaitable[bool]]


def collect_less_garbage() -> None:
    """Half the time of a delivery went into looking through modules and mappings for garbage that is never there."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


class Bell:
    """Rung when something may be there to do. A ring is a hint that may get lost; the clock is the truth."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        await _at_most(seconds, self._rung)
        self._rung.clear()


async def repeat(step: Step, *, lane: Lane, bell: Bell, stop: asyncio.Event, poll_seconds: float) -> None:
    """`step` says whether there may be more to do at once. Nothing it raises ends the loop."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            is_busy = await step()
        except Exception as error:  # noqa: BLE001 - a worker outlives whatever happens to one step
            note_failure(step, error)
            lane.drop()
            await _at_most(pause, stop)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            continue
        pause = FIRST_PAUSE_SECONDS
        if not is_busy:
            await bell.wait(poll_seconds)


def note_failure(step: Callable[..., object], error: Exception) -> None:
    name = getattr(step, "__qualname__", repr(step))
    if is_outage(error):
        log.warning("the database is away; trying again", step=name, reason=type(error).__name__)
    else:
        log.error("a step failed; trying again", step=name, exc_info=error)


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
