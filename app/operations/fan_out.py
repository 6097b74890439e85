"""From events to deliveries: one statement finds who subscribed, and empties the queue of what it handled."""

from dataclasses import dataclass
from uuid import UUID

from app.db.statements import Connection, fetch

EVENTS_AT_ONCE = 500
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class FannedOut:
    events: int
    deliveries: int
    last_workspace: UUID | None  # go on behind it, so that a flood of one tenant's events holds up nobody else's


async def fan_out(tx: Connection, *, behind: UUID = FIRST, limit: int = EVENTS_AT_ONCE) -> FannedOut:
    """Takes up to `limit` events, tenant by tenant from the one behind `behind`."""
    row = (await fetch(tx, _FAN_OUT, behind, limit))[0]
    return FannedOut(row["events"], row["deliveries"], row["last_workspace"])


# A filter on campaigns, bands or scores lets through only events that have one, and the right one. An answer that was
# moved between bands concerns both: whoever looks after detractors wants to know that one of them is happy now.
MATCHES = """
    (w.event_types = '{}' OR w.event_types && ARRAY[
        e.type,
        CASE WHEN e.type IN ('response.created', 'response.band_changed') THEN 'response.' || e.band END,
        CASE WHEN e.type = 'response.band_changed' THEN 'response.' || e.previous_band END
    ])
    AND (w.campaign_ids = '{}' OR e.campaign_id = ANY(w.campaign_ids))
    AND (w.bands = '{}' OR w.bands && ARRAY[e.band, e.previous_band])
    AND (w.lowest_score IS NULL OR e.score >= w.lowest_score)
    AND (w.highest_score IS NULL OR e.score <= w.highest_score)
"""

# endpoint_work is locked in the order of its key by everybody who waits for it, so nobody deadlocks.
_FAN_OUT = f"""
    WITH RECURSIVE tenants AS (
        (SELECT workspace_id FROM event_queue WHERE workspace_id > $1 ORDER BY workspace_id LIMIT 1)
        UNION ALL
        SELECT next.workspace_id FROM tenants t CROSS JOIN LATERAL (
            SELECT q.workspace_id FROM event_queue q WHERE q.workspace_id > t.workspace_id
            ORDER BY q.workspace_id LIMIT 1
        ) AS next
    ), taken AS MATERIALIZED (
        SELECT q.workspace_id, q.event_id, q.endpoint_id
        FROM tenants t CROSS JOIN LATERAL (
            SELECT q.workspace_id, q.event_id, q.endpoint_id FROM event_queue q
            WHERE q.workspace_id = t.workspace_id
            ORDER BY q.event_id LIMIT $2 FOR UPDATE SKIP LOCKED
        ) AS q
        LIMIT $2
    ), wanted AS (
        SELECT t.workspace_id, t.event_id, w.id AS endpoint_id, now() + make_interval(
            secs => CASE WHEN t.endpoint_id IS NULL THEN w.delay_seconds ELSE 0 END
        ) AS due_at
        FROM taken t
        JOIN events e ON e.workspace_id = t.workspace_id AND e.id = t.event_id
        JOIN webhook_endpoints w ON w.workspace_id = t.workspace_id
            AND w.deleted_at IS NULL AND w.disabled_at IS NULL
        WHERE t.endpoint_id = w.id OR (t.endpoint_id IS NULL AND {MATCHES})
    ), made AS (
        INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at)
        SELECT workspace_id, uuid_v7(now()), event_id, endpoint_id, due_at FROM wanted
        ON CONFLICT DO NOTHING
        RETURNING workspace_id, endpoint_id, due_at
    ), woken AS (
        INSERT INTO endpoint_work (workspace_id, endpoint_id, due_at)
        SELECT workspace_id, endpoint_id, min(due_at) FROM made GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (workspace_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at
        WHERE endpoint_work.due_at > excluded.due_at
    ), done AS (
        DELETE FROM event_queue q USING taken t
        WHERE q.workspace_id = t.workspace_id AND q.event_id = t.event_id
    )
    SELECT (SELECT count(*) FROM taken) AS events,
           (SELECT count(*) FROM made) AS deliveries,
           (SELECT workspace_id FROM taken ORDER BY workspace_id DESC LIMIT 1) AS last_workspace
"""
