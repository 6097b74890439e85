"""Events an endpoint missed are delivered to it after all: one, or all of a range, in batches that a worker makes."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert

from app.db.engine import ReadTx, Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.db.tables import replays
from app.domain.events import EventNotFound
from app.domain.ids import first_uuid_of
from app.domain.webhooks.replay import ReplayFinished, ReplayRange, state_of
from app.operations.deliveries.retry import lock_event, retry_delivery, wake_workers
from app.operations.fan_out import matches_sql
from app.queries.replays import get_replay
from app.queries.webhook_endpoints import lock_enabled_endpoint

EVENTS_AT_ONCE = 500
MOST_COUNTED = 100_000  # events that a count looks at


class ReplayCount(NamedTuple):
    exhausted_count: int
    never_attempted_count: int
    is_complete: bool  # False: there are more events than were looked at


async def deliver_event(tx: Tx, workspace_id: UUID, event_id: UUID, endpoint_id: UUID) -> UUID:
    """The delivery, due at once, whatever the endpoint's filter says; one that is there already is tried again.

    Raises EventNotFound, WebhookEndpointNotFound, WebhookEndpointDisabled, DeliveryUnderWay.
    """
    await lock_enabled_endpoint(tx, workspace_id, endpoint_id)
    if not await lock_event(tx, workspace_id, event_id):
        raise EventNotFound("There is no event with this id, or it is no longer kept.")
    found = await fetch(tx, _FIND, workspace_id, event_id, endpoint_id)
    if found:
        await retry_delivery(tx, workspace_id, found[0]["id"])
        return UUID(str(found[0]["id"]))
    made = await fetch(tx, _MAKE, workspace_id, event_id, endpoint_id)
    await wake_workers(tx, workspace_id, endpoint_id)
    return UUID(str(made[0]["id"]))


async def start_replay(tx: Tx, workspace_id: UUID, endpoint_id: UUID, wanted: ReplayRange, *, now: datetime) -> UUID:
    """Raises ReplayRangeEmpty, WebhookEndpointNotFound, WebhookEndpointDisabled."""
    wanted.check()
    await lock_enabled_endpoint(tx, workspace_id, endpoint_id)
    replay_id = new_id(now)
    await tx.execute(
        insert(replays).values(
            workspace_id=workspace_id, id=replay_id, endpoint_id=endpoint_id, since=wanted.since, until=wanted.until,
            include_never_attempted=wanted.include_never_attempted, position=first_uuid_of(wanted.since),
            created_at=now,
        )
    )  # fmt: skip
    return replay_id


async def cancel_replay(tx: Tx, workspace_id: UUID, replay_id: UUID) -> None:
    """Deliveries it has made so far stay. Raises ReplayNotFound, ReplayFinished."""
    if not await fetch(tx, _CANCEL, workspace_id, replay_id):
        found = await get_replay(tx, workspace_id, replay_id)
        raise ReplayFinished(f"It is {state_of(found)} already, so there is nothing left to cancel.")


async def count_replay(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, wanted: ReplayRange) -> ReplayCount:
    """What a replay of this range would deliver, with and without the never attempted. Raises ReplayRangeEmpty."""
    wanted.check()
    bounds = first_uuid_of(wanted.since), first_uuid_of(wanted.until)
    row = (await fetch(tx, _COUNT, workspace_id, endpoint_id, *bounds, MOST_COUNTED))[0]
    return ReplayCount(row["exhausted"], row["never_attempted"], row["looked_at"] < MOST_COUNTED)


async def work_off_replays(tx: Tx) -> int:
    """One batch of one replay; says how many there were. A disabled endpoint cancels its replay."""
    found = await fetch(tx, _CLAIM_REPLAY)
    if not found:
        return 0
    replay = found[0]
    place = replay["workspace_id"], replay["endpoint_id"]
    if replay["is_resting"]:
        await fetch(tx, _CANCEL, replay["workspace_id"], replay["id"])
        return 1
    bounds = replay["position"], first_uuid_of(replay["until"])
    await fetch(tx, _WORK_OFF, *place, replay["id"], *bounds, replay["include_never_attempted"], EVENTS_AT_ONCE)
    await wake_workers(tx, *place)
    return 1


async def forget_old_replays(tx: Tx, *, before: datetime) -> None:
    await fetch(tx, "DELETE FROM replays WHERE finished_at < $1", before)


_FIND = """
    SELECT id FROM deliveries WHERE workspace_id = $1 AND event_id = $2 AND endpoint_id = $3
    UNION ALL
    SELECT id FROM delivery_log WHERE workspace_id = $1 AND event_id = $2 AND endpoint_id = $3
    LIMIT 1
"""
_MAKE = """
    INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at)
    VALUES ($1, uuid_v7(now()), $2, $3, now())
    ON CONFLICT (workspace_id, event_id, endpoint_id) DO UPDATE SET due_at = now()
    RETURNING id
"""

_CLAIM_REPLAY = """
    SELECT r.workspace_id, r.id, r.endpoint_id, r.until, r.include_never_attempted, r.position,
        e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL AS is_resting
    FROM replays r JOIN webhook_endpoints e ON e.workspace_id = r.workspace_id AND e.id = r.endpoint_id
    WHERE r.finished_at IS NULL
    ORDER BY r.position LIMIT 1 FOR UPDATE OF r SKIP LOCKED
"""
_CANCEL = """
    UPDATE replays SET finished_at = now(), is_cancelled = true
    WHERE workspace_id = $1 AND id = $2 AND finished_at IS NULL
    RETURNING id
"""

# What still waits to be fanned out will be; what was meant for one endpoint alone concerns no other.
_NEVER_ATTEMPTED = f"""
    e.type <> 'endpoint.test' AND {matches_sql()}
    AND NOT EXISTS (
        SELECT FROM deliveries d WHERE d.workspace_id = e.workspace_id AND d.event_id = e.id AND d.endpoint_id = w.id
    ) AND NOT EXISTS (
        SELECT FROM delivery_log l WHERE l.workspace_id = e.workspace_id AND l.event_id = e.id AND l.endpoint_id = w.id
    ) AND NOT EXISTS (
        SELECT FROM event_queue q WHERE q.workspace_id = e.workspace_id AND q.event_id = e.id
    )
"""

# Events are locked so that none is pruned before its delivery is there.
_WORK_OFF = f"""
    WITH looked_at AS MATERIALIZED (
        SELECT e.workspace_id, e.id FROM events e
        WHERE e.workspace_id = $1 AND e.id > $4 AND e.id < $5
        ORDER BY e.id LIMIT $7 FOR SHARE
    ), failed AS (
        DELETE FROM delivery_log l USING looked_at e
        WHERE l.workspace_id = e.workspace_id AND l.event_id = e.id AND l.endpoint_id = $2 AND l.state = 'exhausted'
        RETURNING l.*
    ), missed AS (
        SELECT e.workspace_id, e.id FROM looked_at
        JOIN events e USING (workspace_id, id)
        JOIN webhook_endpoints w ON w.workspace_id = e.workspace_id AND w.id = $2
        WHERE $6 AND {_NEVER_ATTEMPTED}
    ), made AS (
        INSERT INTO deliveries
            (workspace_id, id, event_id, endpoint_id, due_at, attempts, body, last_status, last_failure, created_at)
        SELECT workspace_id, id, event_id, endpoint_id, now(), attempts, body, last_status, last_failure, created_at
        FROM failed
        UNION ALL
        SELECT workspace_id, uuid_v7(now()), id, $2, now(), 0, NULL, NULL, NULL, now() FROM missed
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    UPDATE replays r SET
        position = coalesce((SELECT id FROM looked_at ORDER BY id DESC LIMIT 1), r.position),
        replayed = r.replayed + (SELECT count(*) FROM made),
        finished_at = CASE WHEN (SELECT count(*) FROM looked_at) < $7 THEN now() END
    WHERE r.workspace_id = $1 AND r.id = $3
"""

_COUNT = f"""
    WITH looked_at AS MATERIALIZED (
        SELECT e.* FROM events e WHERE e.workspace_id = $1 AND e.id > $3 AND e.id < $4 ORDER BY e.id LIMIT $5
    )
    SELECT count(*) AS looked_at,
        count(*) FILTER (WHERE EXISTS (
            SELECT FROM delivery_log l WHERE l.workspace_id = e.workspace_id AND l.event_id = e.id
                AND l.endpoint_id = w.id AND l.state = 'exhausted'
        )) AS exhausted,
        count(*) FILTER (WHERE {_NEVER_ATTEMPTED}) AS never_attempted
    FROM looked_at e JOIN webhook_endpoints w ON w.workspace_id = e.workspace_id AND w.id = $2
"""
