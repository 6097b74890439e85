"""Whatever a breaking connection raises, the worker goes on, and listens again."""

import asyncio

import asyncpg
import pytest

from app.db.engine import Engine
from app.workers import listener
from app.workers.loop import Bell

PATIENCE_SECONDS = 10


class Troubled:
    """An engine whose connections break in all the ways that drivers and loops have."""

    def __init__(self, engine: Engine, *troubles: Exception) -> None:
        self.engine, self.troubles = engine, list(troubles)

    async def connect(self, **settings: str) -> asyncpg.Connection:
        if self.troubles:
            raise self.troubles.pop(0)
        return await self.engine.connect(**settings)


async def test_no_way_of_breaking_ends_the_listening(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LONGEST_PAUSE_SECONDS", 0.0)
    troubled = Troubled(
        engine,
        ConnectionResetError(),
        asyncpg.InternalClientError("out of step"),
        asyncpg.exceptions.AdminShutdownError("bye"),
        RuntimeError("unable to perform operation on <UnixTransport closed=True>; the handler is closed"),
    )
    bell, stop = Bell(), asyncio.Event()
    listening = asyncio.create_task(listener.listen(troubled, bells=[bell], stop=stop))  # type: ignore[arg-type]  # it connects
    async with asyncio.timeout(PATIENCE_SECONDS):
        await bell._rung.wait()
    assert not listening.done()
    stop.set()
    await listening
    assert troubled.troubles == []
