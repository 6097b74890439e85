"""Somebody asks for one more try: of what waits, of what was given up, or of what arrived and got lost there."""

from uuid import UUID

from sqlalchemy import select, text

from app.db.engine import Tx
from app.db.statements import fetch
from app.db.tables import events
from app.domain.webhooks.delivery import DeliveryExpired, DeliveryNotFound, DeliveryUnderWay
from app.operations.deliveries.health import end_pause
from app.operations.deliveries.settle import wake_endpoints
from app.operations.events import CHANNEL
from app.queries.deliveries import find_delivery
from app.queries.webhook_endpoints import lock_enabled_endpoint


async def retry_delivery(tx: Tx, workspace_id: UUID, delivery_id: UUID) -> None:
    """Due at once and before all others, with the same body and webhook-id, at the start of the timetable.

    Raises DeliveryNotFound, DeliveryUnderWay, DeliveryExpired, WebhookEndpointDisabled, WebhookEndpointNotFound.
    """
    found = await find_delivery(tx, workspace_id, delivery_id)
    if found is None:
        raise DeliveryNotFound("There is no delivery with this id.")
    await lock_enabled_endpoint(tx, workspace_id, found["endpoint_id"])
    if not await lock_event(tx, workspace_id, found["event_id"]):
        raise DeliveryExpired("Events are kept for 30 days; what this one said is no longer known.")
    if not (await _hurry(tx, workspace_id, delivery_id) or await _take_from_log(tx, workspace_id, delivery_id)):
        raise DeliveryUnderWay("An attempt is under way at the moment; its outcome will show in a few seconds.")
    await end_pause(tx, workspace_id, found["endpoint_id"])
    await wake_workers(tx, workspace_id, found["endpoint_id"])


async def lock_event(tx: Tx, workspace_id: UUID, event_id: UUID) -> bool:
    """Whether it is still kept; then it is not pruned before the delivery that needs it is there."""
    kept = events.c
    query = select(kept.id).where(kept.workspace_id == workspace_id, kept.id == event_id)
    return (await tx.execute(query.with_for_update(read=True))).one_or_none() is not None


async def wake_workers(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> None:
    """At once, for what has become due."""
    await wake_endpoints(tx, {endpoint_id: workspace_id})
    await tx.execute(text(f"NOTIFY {CHANNEL}"))


async def _hurry(tx: Tx, workspace_id: UUID, delivery_id: UUID) -> bool:
    return bool(await fetch(tx, _HURRY, workspace_id, delivery_id))


async def _take_from_log(tx: Tx, workspace_id: UUID, delivery_id: UUID) -> bool:
    return bool(await fetch(tx, _TAKE_FROM_LOG, workspace_id, delivery_id))


# Before whatever else waits for the endpoint, since of a paused one only the first is tried.
_FIRST_OF_ALL = """(
    SELECT least(now(), min(d.due_at) - interval '1 microsecond') FROM deliveries d
    WHERE d.workspace_id = {row}.workspace_id AND d.endpoint_id = {row}.endpoint_id
)"""

_HURRY = f"""
    UPDATE deliveries SET due_at = {_FIRST_OF_ALL.format(row="deliveries")}, step = 0, claim_id = NULL
    WHERE workspace_id = $1 AND id = $2 AND (claim_id IS NULL OR due_at <= now())
    RETURNING id
"""

_TAKE_FROM_LOG = f"""
    WITH taken AS (
        DELETE FROM delivery_log WHERE workspace_id = $1 AND id = $2 RETURNING *
    )
    INSERT INTO deliveries
        (workspace_id, id, event_id, endpoint_id, due_at, attempts, body, last_status, last_failure, created_at)
    SELECT workspace_id, id, event_id, endpoint_id, {_FIRST_OF_ALL.format(row="taken")}, attempts, body,
        last_status, last_failure, created_at
    FROM taken
    ON CONFLICT DO NOTHING
    RETURNING id
"""
