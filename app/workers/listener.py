"""LISTEN, on a connection of its own. Nothing depends on it but how soon we notice."""

import asyncio
from collections.abc import Sequence

import structlog

from app.db.engine import Engine
from app.operations.events import CHANNEL
from app.workers.loop import LONGEST_PAUSE_SECONDS, Bell

log = structlog.get_logger()


async def listen(engine: Engine, *, bells: Sequence[Bell], stop: asyncio.Event) -> None:
    """Connects again whenever the connection is lost, and then rings: something may have been missed."""
    while not stop.is_set():
        try:
            await _listen_until_lost(engine, bells=bells, stop=stop)
        except Exception as error:  # noqa: BLE001 - a connection that breaks can raise anything, RuntimeError included
            log.warning("not listening; polling goes on", reason=type(error).__name__)
            await asyncio.sleep(LONGEST_PAUSE_SECONDS / 4)


async def _listen_until_lost(engine: Engine, *, bells: Sequence[Bell], stop: asyncio.Event) -> None:
    lost = asyncio.Event()
    connection = await engine.connect(application_name="zeroten listener")
    try:
        connection.add_termination_listener(lambda *_: lost.set())
        await connection.add_listener(CHANNEL, lambda *_: _ring(bells))
        _ring(bells)
        await _first_of(lost, stop)
    finally:
        connection.terminate()


def _ring(bells: Sequence[Bell]) -> None:
    for bell in bells:
        bell.ring()


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
