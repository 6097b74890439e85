"""Whether something between us and PostgreSQL lends its connections out by the transaction."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg

from app.db.engine import Engine

HEARD_WITHIN_SECONDS = 2.0


async def is_transaction_pooled(engine: Engine) -> bool:
    """Through such a pooler LISTEN hears nothing, and sessions do not keep their settings.

    It shows in two ways: two connections open at once are served by the same backend, or what one of them listens to
    never arrives. A pooler may also refuse our prepared statements outright.
    """
    async with AsyncExitStack() as stack:
        try:
            one, other = [await _connect(engine, stack) for _ in range(2)]
            backends = {await connection.fetchval("SELECT pg_backend_pid()") for connection in (one, other)}
            return len(backends) < 2 or not await _is_heard(one, other)
        except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
            return True


async def _connect(engine: Engine, stack: AsyncExitStack) -> asyncpg.Connection:
    connection = await engine.connect()
    stack.push_async_callback(connection.close, timeout=2)
    return connection


async def _is_heard(listener: asyncpg.Connection, speaker: asyncpg.Connection) -> bool:
    heard = asyncio.Event()
    await listener.add_listener("zeroten_doctor", lambda *_: heard.set())
    await speaker.execute("NOTIFY zeroten_doctor")
    try:
        async with asyncio.timeout(HEARD_WITHIN_SECONDS):
            await heard.wait()
    except TimeoutError:
        return False
    return True
