"""The only place that begins and commits. Above it, a function that takes a `Tx` writes in its caller's transaction."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, NewType

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Tx = NewType("Tx", AsyncConnection)  # may write
ReadTx = NewType("ReadTx", AsyncConnection)  # PostgreSQL refuses a write in it

# A statement that outlives these is a mistake: better one request refused than a table stuck.
SESSION_SETTINGS: Mapping[str, str] = {
    "application_name": "zeroten",
    "jit": "off",  # our statements are short; compiling them costs more than running them
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}

# Asking takes three trips to PostgreSQL, as many as most transactions. That a connection was closed we are told anyhow.
ASKED_AFTER_SECONDS = 1.0


class Engine:
    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """`url`: postgresql://…, also with `?host=/socket/directory`."""
        self.url = url
        self.raw: AsyncEngine = create_async_engine(
            _for_sqlalchemy(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args={"server_settings": dict(SESSION_SETTINGS)},
        )
        event.listen(self.raw.sync_engine, "checkin", _note_time)
        event.listen(self.raw.sync_engine, "checkout", self._check)

    @asynccontextmanager
    async def write(self, *, lock_timeout: str | None = None) -> AsyncIterator[Tx]:
        """`lock_timeout`: as PostgreSQL writes it, such as `100ms`; None: that of all sessions."""
        async with self.raw.begin() as connection:
            if lock_timeout is not None:
                await connection.exec_driver_sql("SELECT set_config('lock_timeout', $1, true)", (lock_timeout,))
            yield Tx(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        async with self.raw.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                yield ReadTx(connection)

    async def connect(self, **settings: str) -> asyncpg.Connection:
        """A connection outside the pool, for a lane or a listener that keeps it."""
        return await asyncpg.connect(self.url, server_settings={**SESSION_SETTINGS, **settings}, timeout=5)

    async def close(self) -> None:
        await self.raw.dispose()

    def _check(self, lent: Any, record: Any, _: object) -> None:
        """Nobody is lent a connection that was closed, or one that lay idle and no longer answers."""
        is_closed = lent.driver_connection.is_closed()
        was_idle = monotonic() - record.info.get("idle_since", monotonic()) >= ASKED_AFTER_SECONDS
        if is_closed or (was_idle and not self._answers(lent)):
            raise InvalidatePoolError

    def _answers(self, lent: Any) -> bool:
        dialect = self.raw.sync_engine.dialect
        try:
            return dialect.do_ping(lent)
        except dialect.loaded_dbapi.Error:
            return False


def _note_time(_: object, record: Any) -> None:
    record.info["idle_since"] = monotonic()


def _for_sqlalchemy(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise ValueError("the database URL must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"
