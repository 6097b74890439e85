"""A connection that a loop keeps for itself, opened anew after PostgreSQL went away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from app.db.engine import Engine


class Lane:
    """For one user at a time. `settings` are PostgreSQL's, such as `synchronous_commit="off"`."""

    def __init__(self, engine: Engine, **settings: str) -> None:
        self._engine, self._settings = engine, settings
        self._connection: asyncpg.Connection | None = None

    async def connection(self) -> asyncpg.Connection:
        """For single statements, each its own transaction."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._engine.connect(**self._settings)
        return self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await self.connection()
        async with connection.transaction():
            yield connection

    def drop(self) -> None:
        """After an error nobody knows the connection's state; the next user gets a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=2)
        self._connection = None
