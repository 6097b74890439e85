"""Statements over arrays, on either kind of connection: the pool's, or one that a lane keeps for itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar, cast

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import ReadTx, Tx
from app.domain.errors import Overloaded

Result = TypeVar("Result")
Connection: TypeAlias = Tx | ReadTx | asyncpg.Connection

MOST_ATTEMPTS = 20
UNIQUE_VIOLATION, DEADLOCK = "23505", "40P01"
QUERY_CANCELED = "57014"  # it took longer than a statement may


class RaceLost(Exception):
    """Somebody else wrote the same row meanwhile; what was read is no longer so."""


async def fetch(tx: Connection, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    """`$1`, `$2`, …; an argument may be a list. Cast JSON to text: the two kinds of connection read it differently."""
    if isinstance(tx, AsyncConnection):
        result = await tx.exec_driver_sql(statement, arguments)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []
    return [dict(row) for row in await tx.fetch(statement, *arguments)]


async def plan_anew(tx: Connection) -> None:
    """The statements of this transaction, for its tables as they are now. A plan that is kept was made when they were
    small, and goes on reading the whole of them until PostgreSQL's statistics know how they have grown.
    """
    await fetch(tx, "SET LOCAL plan_cache_mode = force_custom_plan")


def next_revision(row: str) -> str:
    """What every UPDATE says of a row that has a revision, for pages in the order of change. `row`: its alias."""
    return f"revision = {row}.revision + 1, changed_in = pg_current_xact_id()"


def some_of(table: str, condition: str, *, limit: str) -> str:
    """The condition of a statement that changes so many rows of a table and no more, none that others are changing.

    `limit`: a parameter, such as `$2`. A subquery that is joined may be run more than once, and each time finds others.
    """
    chosen = f"SELECT ctid FROM {table} WHERE {condition} LIMIT {limit} FOR UPDATE SKIP LOCKED"
    return f"ctid = ANY(ARRAY({chosen}))"


async def copy(tx: Connection, table: str, *, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
    """Many new rows at once, in the same transaction. JSON goes in as text."""
    if isinstance(tx, AsyncConnection):
        await tx.exec_driver_sql("SELECT 1")  # only a first statement makes the pool's connection begin
        tx = cast(asyncpg.Connection, (await tx.get_raw_connection()).driver_connection)
    await tx.copy_records_to_table(table, columns=columns, records=records)


async def until_unraced(tx: Connection, attempt: Callable[[bool], Awaitable[Result]]) -> Result:
    """Runs it in a savepoint, and again from a fresh look when a race for the same rows was lost.

    It is told whether to lock what it reads: the first time is hopeful, later ones make sure. Raises Overloaded.
    """
    for number in range(MOST_ATTEMPTS):
        try:
            async with _savepoint(tx):
                return await attempt(number > 0)
        except RaceLost:
            continue
    raise Overloaded("Too many callers change the same rows at the moment.")


@asynccontextmanager
async def _savepoint(tx: Connection) -> AsyncIterator[None]:
    await fetch(tx, "SAVEPOINT unraced")
    try:
        yield
    except (RaceLost, DBAPIError, asyncpg.PostgresError) as error:
        if not _is_a_lost_race(error):
            raise
        await fetch(tx, "ROLLBACK TO SAVEPOINT unraced")
        await fetch(tx, "RELEASE SAVEPOINT unraced")
        raise RaceLost from error
    await fetch(tx, "RELEASE SAVEPOINT unraced")


def _is_a_lost_race(error: Exception) -> bool:
    return isinstance(error, RaceLost) or sqlstate_of(error) in {UNIQUE_VIOLATION, DEADLOCK}


def sqlstate_of(error: BaseException) -> str | None:
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    return str(state) if state else None
