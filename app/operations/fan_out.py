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


HAS_COMMENT = "json_typeof(e.body #> '{response,comment}') = 'string'"
PROPERTIES = "(e.body #> '{recipient,properties}')::jsonb"
# The endpoint that an event is about is the last that could be told.
ABOUT = """CASE WHEN e.type IN ('endpoint.failing', 'endpoint.disabled', 'delivery.exhausted')
    THEN substr(e.body #>> '{endpoint,id}', 4)::uuid END"""


def matches_sql(*, has_comment: str = HAS_COMMENT, properties: str = PROPERTIES, about: str = ABOUT) -> str:
    """Whether the event `e` passes the filters of the endpoint `w`.

    A filter lets through only events that have what it asks for: a campaign, a band, a score, a comment or the lack of
    one, a recipient. An answer that was moved between bands concerns both: whoever looks after detractors wants to know
    that one of them is happy now.
    """
    return f"""
    (w.event_types = '{{}}' OR w.event_types && ARRAY[
        e.type,
        CASE WHEN e.type IN ('response.created', 'response.band_changed') THEN 'response.' || e.band END,
        CASE WHEN e.type = 'response.band_changed' THEN 'response.' || e.previous_band END
    ])
    AND (w.campaign_ids = '{{}}' OR e.campaign_id = ANY(w.campaign_ids))
    AND (w.bands = '{{}}' OR w.bands && ARRAY[e.band, e.previous_band])
    AND (w.lowest_score IS NULL OR e.score >= w.lowest_score)
    AND (w.highest_score IS NULL OR e.score <= w.highest_score)
    AND (w.has_comment IS NULL OR w.has_comment = ({has_comment}))
    AND (w.recipient_properties = '{{}}' OR NOT EXISTS (
        SELECT FROM jsonb_each(w.recipient_properties) AS asked (key, passing)
        WHERE (asked.passing @> ({properties} -> asked.key)) IS NOT TRUE
    ))
    AND ({about}) IS DISTINCT FROM w.id"""


# Reading the body costs more than all the rest, so it is read once for an event, and only where somebody asks.
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
    ), asking AS MATERIALIZED (
        SELECT w.workspace_id, bool_or(w.has_comment IS NOT NULL) AS for_comments,
            bool_or(w.recipient_properties <> '{{}}') AS for_properties
        FROM (SELECT DISTINCT workspace_id FROM taken) AS t
        JOIN webhook_endpoints w ON w.workspace_id = t.workspace_id
            AND w.deleted_at IS NULL AND w.disabled_at IS NULL
        GROUP BY w.workspace_id
    ), told AS MATERIALIZED (
        SELECT t.workspace_id, t.event_id, t.endpoint_id AS only_id,
            e.type, e.campaign_id, e.band, e.previous_band, e.score,
            CASE WHEN a.for_comments THEN {HAS_COMMENT} END AS has_comment,
            CASE WHEN a.for_properties THEN {PROPERTIES} END AS properties, {ABOUT} AS about_id
        FROM taken t
        JOIN asking a ON a.workspace_id = t.workspace_id
        JOIN events e ON e.workspace_id = t.workspace_id AND e.id = t.event_id
    ), wanted AS (
        SELECT e.workspace_id, e.event_id, w.id AS endpoint_id, now() + make_interval(
            secs => CASE WHEN e.only_id IS NULL THEN w.delay_seconds ELSE 0 END
        ) AS due_at
        FROM told e
        JOIN webhook_endpoints w ON w.workspace_id = e.workspace_id
            AND w.deleted_at IS NULL AND w.disabled_at IS NULL
        WHERE e.only_id = w.id OR (
            (e.only_id IS NULL OR e.type = 'response.followed_up')
            AND {matches_sql(has_comment="e.has_comment", properties="e.properties", about="e.about_id")}
        )
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
