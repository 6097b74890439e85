"""A connector that was disabled because its service refused it, and has been told something new since."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.operations.webhook_endpoints import enable_endpoint

CURABLE = frozenset({DisabledReason.UNAUTHORIZED, DisabledReason.NOT_THERE})


async def try_renewed(tx: Tx, before: Mapping[str, Any], check_id: UUID, *, now: datetime) -> None:
    """The check goes first and alone: what is pending must not be used up by finding out.

    If it is refused again, the endpoint is disabled again and the rest waits on. One that somebody disabled stays so.
    """
    if before["disabled_reason"] not in CURABLE:
        return
    place = before["workspace_id"], before["id"]
    await enable_endpoint(tx, *place, now=now)
    await fetch(tx, _ONE_AT_A_TIME, *place, before["disabled_reason"], now)
    await fetch(tx, _AHEAD_OF_ALL, *place, check_id)


# A pause that is over lets single deliveries through, until one arrives. Attempts that were under way when it was
# disabled may end at this moment, and note how.
_ONE_AT_A_TIME = """
    INSERT INTO endpoint_health
        (workspace_id, endpoint_id, failures, failing_since, last_failed_at, last_failure, paused_until)
    VALUES ($1, $2, 1, $4, $4, $3, $4)
    ON CONFLICT (workspace_id, endpoint_id) DO UPDATE SET paused_until = excluded.paused_until
"""
_AHEAD_OF_ALL = """
    WITH queued AS (
        DELETE FROM event_queue WHERE workspace_id = $1 AND event_id = $3
    )
    INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at)
    VALUES ($1, uuid_v7(now()), $3, $2, 'epoch')
"""
