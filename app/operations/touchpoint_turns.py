"""What happens to one person is written down one after the other."""

from collections.abc import Collection
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch

TURNS = 64  # of a workspace; a lock for each person would be more than PostgreSQL has room for


async def take_turns(tx: Tx, workspace_id: UUID, recipient_ids: Collection[UUID]) -> None:
    """Until the transaction ends. Take them before anything else is locked that whoever records touchpoints locks."""
    await fetch(tx, _TAKE, str(workspace_id), list(recipient_ids), TURNS)


# An order and its return that come at the same instant would otherwise not see each other. Not the rows of people: who
# sends or merges locks those, and campaigns before or after them. Always in one order, so nobody waits in a circle.
_TAKE = """
    WITH turns AS MATERIALIZED (
        SELECT DISTINCT hashtextextended($1, abs(hashtextextended(id::text, 0) % $3)) AS number
        FROM unnest($2::uuid[]) AS g (id) ORDER BY 1
    )
    SELECT pg_advisory_xact_lock(number) FROM turns
"""
