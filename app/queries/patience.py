"""How long a statement may take that somebody else wrote the conditions of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.engine import ReadTx, Tx
from app.db.statements import QUERY_CANCELED, fetch, sqlstate_of
from app.domain.audience.audience import FilterTooSlow


@asynccontextmanager
async def trying(tx: ReadTx | Tx, seconds: float) -> AsyncIterator[None]:
    """As `at_most`, in a transaction that goes on afterwards as if nothing had been: only for reading."""
    await fetch(tx, "SAVEPOINT trying")
    try:
        async with at_most(tx, seconds):
            yield
    finally:
        await fetch(tx, "ROLLBACK TO SAVEPOINT trying")
        await fetch(tx, "RELEASE SAVEPOINT trying")


@asynccontextmanager
async def at_most(tx: ReadTx | Tx, seconds: float) -> AsyncIterator[None]:
    """Each statement; somebody's filter may look at everything that is stored. Raises FilterTooSlow."""
    await tx.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
    try:
        yield
    except DBAPIError as error:
        if sqlstate_of(error) != QUERY_CANCELED:
            raise
        raise FilterTooSlow(f"After {seconds:.0f} seconds, not everything had been looked at.") from error
