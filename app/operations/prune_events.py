"""Events are kept for 30 days, and longer while somebody still has to get them."""

from datetime import datetime

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.events import KEPT_FOR

AT_ONCE = 5_000


async def prune_events(tx: Tx, *, now: datetime) -> int:
    """One batch; says how many, so that a caller goes on while there were some.

    Locked first and looked at afterwards: a manual retry that came before us has its delivery there by then, and one
    that comes after us waits, and finds its event gone.
    """
    locked = await fetch(tx, _LOCK_OLD, now - KEPT_FOR, AT_ONCE)
    if not locked:
        return 0
    keys = [row["workspace_id"] for row in locked], [row["id"] for row in locked]
    return len(await fetch(tx, _DELETE_UNUSED, *keys))


_LOCK_OLD = """
    SELECT e.workspace_id, e.id FROM events e
    WHERE e.created_at < $1
        AND NOT EXISTS (SELECT FROM deliveries d WHERE d.workspace_id = e.workspace_id AND d.event_id = e.id)
        AND NOT EXISTS (SELECT FROM event_queue q WHERE q.workspace_id = e.workspace_id AND q.event_id = e.id)
    LIMIT $2 FOR UPDATE OF e SKIP LOCKED
"""

_DELETE_UNUSED = """
    DELETE FROM events e USING unnest($1::uuid[], $2::uuid[]) AS old (workspace_id, id)
    WHERE e.workspace_id = old.workspace_id AND e.id = old.id
        AND NOT EXISTS (SELECT FROM deliveries d WHERE d.workspace_id = e.workspace_id AND d.event_id = e.id)
    RETURNING 1
"""
