"""What will never be delivered goes into the log as cancelled."""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import Connection, fetch
from app.domain.webhooks.delivery import DeliveryFinished, DeliveryNotFound, DeliveryState, DeliveryUnderWay
from app.queries.deliveries import find_delivery

AT_ONCE = 1_000


async def cancel_deliveries_of(tx: Connection, workspace_id: UUID, endpoint_id: UUID) -> int:
    """Up to AT_ONCE; says how many. An attempt under way finds its delivery gone and is only noted."""
    return len(await fetch(tx, _CANCEL.format(which=_OF_ENDPOINT), AT_ONCE, workspace_id, endpoint_id))


async def cancel_delivery(tx: Tx, workspace_id: UUID, delivery_id: UUID) -> None:
    """Raises DeliveryNotFound, DeliveryUnderWay, DeliveryFinished."""
    if await fetch(tx, _CANCEL.format(which=_THIS_ONE), 1, workspace_id, delivery_id):
        return
    found = await find_delivery(tx, workspace_id, delivery_id)
    if found is None:
        raise DeliveryNotFound("There is no delivery with this id.")
    if found["state"] == DeliveryState.PENDING:
        raise DeliveryUnderWay("An attempt is under way at the moment; its outcome will show in a few seconds.")
    raise DeliveryFinished(f"It is {found['state']} already, so there is nothing left to cancel.")


async def cancel_orphaned_deliveries(tx: Connection) -> int:
    """Of deleted endpoints: what a deletion left over, and what was fanned out while it was being deleted."""
    return len(await fetch(tx, _CANCEL.format(which=_OF_DELETED), AT_ONCE))


async def cancel_outdated_deliveries(tx: Connection, *, before: datetime) -> int:
    """Made before then and waiting for an endpoint that has not been enabled since."""
    return len(await fetch(tx, _CANCEL.format(which=_OF_DISABLED), AT_ONCE, before))


_THIS_ONE = "WHERE d.workspace_id = $2 AND d.id = $3 AND (d.claim_id IS NULL OR d.due_at <= now())"
_OF_ENDPOINT = "WHERE d.workspace_id = $2 AND d.endpoint_id = $3"
_OF_DELETED = """
    JOIN webhook_endpoints e ON e.workspace_id = d.workspace_id AND e.id = d.endpoint_id
    WHERE e.deleted_at IS NOT NULL
"""
_OF_DISABLED = """
    JOIN webhook_endpoints e ON e.workspace_id = d.workspace_id AND e.id = d.endpoint_id
    WHERE e.disabled_at IS NOT NULL AND d.created_at < $2
"""

_CANCEL = """
    WITH chosen AS (
        SELECT d.workspace_id, d.id FROM deliveries d {which} LIMIT $1 FOR UPDATE OF d SKIP LOCKED
    ), cancelled AS (
        DELETE FROM deliveries d USING chosen c WHERE d.workspace_id = c.workspace_id AND d.id = c.id
        RETURNING d.*
    )
    INSERT INTO delivery_log (workspace_id, id, finished_at, event_id, endpoint_id, state, attempts, body,
        last_status, last_failure, created_at)
    SELECT workspace_id, id, now(), event_id, endpoint_id, 'cancelled', attempts, body,
        last_status, last_failure, created_at
    FROM cancelled
    RETURNING 1
"""
