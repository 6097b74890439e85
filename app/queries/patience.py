"""How long a statement may take that somebody else wrote the conditions of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.engine import ReadTx
from app.db.statements import sqlstate_of
from app.domain.audience.audience import FilterTooSlow

QUERY_CANCELED = "57014"


@asynccontextmanager
async def at_most(tx: ReadTx, seconds: float) -> AsyncIterator[None]:
    """Somebody's filter may look at everything that is stored. Raises FilterTooSlow."""
    await tx.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
    try:
        yield
    except DBAPIError as error:
        if sqlstate_of(error) != QUERY_CANCELED:
            raise
        raise FilterTooSlow(f"After {seconds:.0f} seconds, not everything had been looked at.") from error
