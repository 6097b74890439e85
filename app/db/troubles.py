"""The database's troubles, as a caller is told of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db.group_commit import BLOCKED_STATE, REPLAY_STATES, is_outage
from app.db.statements import sqlstate_of
from app.domain.errors import Overloaded


@asynccontextmanager
async def troubles_told() -> AsyncIterator[None]:
    """Raises Overloaded where coming back will help: PostgreSQL is away, or others hold the same rows."""
    try:
        yield
    except Exception as error:
        if is_outage(error):
            raise Overloaded("The database is not available.") from error
        if sqlstate_of(error) in {BLOCKED_STATE, *REPLAY_STATES}:
            raise Overloaded("Others are changing the same rows at this moment.") from error
        raise
