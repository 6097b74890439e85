"""Events are kept for 30 days, and longer while somebody still has to get them.

The log of deliveries is kept longer, but without what was sent and what came back: both may tell of people, and only
the event knows of whom, so that an erasure would not find them any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.events import KEPT_FOR
from app.operations.deliveries.forget import HAS_HEADS, WITHOUT_HEADS

AT_ONCE = 5_000


async def prune_events(tx: Tx, *, now: datetime) -> int:
    """One batch; says how many, so that a caller goes on while there were some.

    Locked first and looked at afterwards: a manual retry that came before us has its delivery there by then, and one
    that comes after us waits, and finds its event gone.
    """
    locked = await fetch(tx, _LOCK_OLD, now - KEPT_FOR, AT_ONCE)
    if not locked:
        return 0
    pruned = await fetch(tx, _DELETE_UNUSED, *_keys(locked))
    for statement in (_EMPTY_REPLIES, _THAW_LOG):
        await fetch(tx, statement, *_keys(pruned))
    return len(pruned)


def _keys(rows: Sequence[Mapping[str, Any]]) -> tuple[list[UUID], list[UUID]]:
    return [row["workspace_id"] for row in rows], [row["id"] for row in rows]


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
    RETURNING e.workspace_id, e.id
"""

_LOGGED = """
    unnest($1::uuid[], $2::uuid[]) AS pruned (workspace_id, event_id)
    JOIN delivery_log d ON d.workspace_id = pruned.workspace_id AND d.event_id = pruned.event_id
"""
_EMPTY_REPLIES = f"""
    UPDATE delivery_attempts a SET {WITHOUT_HEADS} FROM {_LOGGED}
    WHERE a.workspace_id = d.workspace_id AND a.delivery_id = d.id AND {HAS_HEADS}
"""
_THAW_LOG = """
    UPDATE delivery_log d SET body = NULL FROM unnest($1::uuid[], $2::uuid[]) AS pruned (workspace_id, event_id)
    WHERE d.workspace_id = pruned.workspace_id AND d.event_id = pruned.event_id AND d.body IS NOT NULL
"""
