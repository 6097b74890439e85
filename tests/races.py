"""Transactions side by side, each held where the test wants it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from app.db.engine import Engine, Tx
from app.db.statements import fetch
from tests.builders import rows
from tests.workers.scene import until


async def begun(engine: Engine, act: Callable[[Tx], Awaitable[Any]]) -> "asyncio.Task[Any]":
    """In a transaction of its own; comes back once it waits for another one, or has ended."""
    process: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run() -> Any:
        async with engine.write() as tx:
            (row,) = await fetch(tx, "SELECT pg_backend_pid() AS process")
            process.set_result(row["process"])
            return await act(tx)

    task = asyncio.create_task(run())
    number = await process

    async def waits_or_is_done() -> bool:
        return task.done() or bool(await rows(engine, _WAITS, process=number))

    await until(waits_or_is_done)
    return task


@asynccontextmanager
async def unhindered(engine: Engine) -> AsyncIterator[Tx]:
    """A transaction for which others may wait, but which waits for nobody."""
    async with engine.write() as tx:
        await fetch(tx, "SET LOCAL lock_timeout = '50ms'")
        yield tx


_WAITS = "SELECT 1 FROM pg_locks WHERE pid = :process AND NOT granted"
