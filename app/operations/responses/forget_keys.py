"""An Idempotency-Key is good for 24 hours; after that its response forgets it."""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.response import IDEMPOTENCY_KEPT_FOR

Place = tuple[UUID, UUID]

BEFORE_ALL: Place = (UUID(int=0), UUID(int=0))


async def forget_response_keys(
    tx: Tx, *, behind: Place = BEFORE_ALL, now: datetime, limit: int = 5_000
) -> Place | None:
    """One batch, in the order of the index that holds only responses with a key. Returns where to go on.

    Nobody is told: a response is the same without its key.
    """
    looked_at = await fetch(tx, _NEXT, *behind, limit)
    if not looked_at:
        return None
    places = [row["workspace_id"] for row in looked_at], [row["idempotency_key"] for row in looked_at]
    await fetch(tx, _FORGET, *places, now - IDEMPOTENCY_KEPT_FOR)
    return places[0][-1], places[1][-1]


_NEXT = """
    SELECT workspace_id, idempotency_key FROM responses
    WHERE idempotency_key IS NOT NULL AND (workspace_id, idempotency_key) > ($1, $2)
    ORDER BY workspace_id, idempotency_key LIMIT $3
"""

# Thousands of answers in the order of their keys, where others lock some in the order of their ids: what somebody holds
# is left to the next round.
_FORGET = """
    WITH old AS MATERIALIZED (
        SELECT r.workspace_id, r.id FROM responses r
        JOIN unnest($1::uuid[], $2::uuid[]) AS k (workspace_id, idempotency_key) USING (workspace_id, idempotency_key)
        WHERE r.created_at < $3 FOR NO KEY UPDATE OF r SKIP LOCKED
    )
    UPDATE responses r SET idempotency_key = NULL, request_digest = NULL FROM old
    WHERE r.workspace_id = old.workspace_id AND r.id = old.id
"""
