"""The database's troubles, as a caller is told of them."""

from app.db.group_commit import BLOCKED_STATE, REPLAY_STATES, is_outage
from app.db.statements import sqlstate_of
from app.domain.errors import Overloaded


def trouble_in(error: Exception) -> Overloaded | None:
    """Where coming back will help: PostgreSQL is away, or others hold the same rows."""
    if is_outage(error):
        return Overloaded("The database is not available.")
    if sqlstate_of(error) in {BLOCKED_STATE, *REPLAY_STATES}:
        return Overloaded("Others are changing the same rows at this moment.")
    return None
