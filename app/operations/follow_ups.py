"""Somebody takes an answer on, or is done with it."""

from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.events import Event, EventType
from app.domain.follow_up import Press
from app.domain.ids import shown
from app.domain.scores.metric import METRICS
from app.domain.webhooks.payload import instant_text
from app.operations.events import announce
from app.operations.responses.bodies import METRIC_TABLE, band_sql, body_sql, told_sql


async def follow_up(tx: Tx, workspace_id: UUID, press: Press, *, endpoint_id: UUID | None = None) -> None:
    """Announced to whoever listens, and in any case to the endpoint whose message it was, or that shows one.

    Nothing changes by what was pressed before the last press, nor by the same once more; what is resolved stays so.
    """
    values = press.response_id, press.state.value, press.actor, press.pressed_at
    for row in await fetch(tx, _FOLLOW_UP, workspace_id, *values):
        endpoint_id = endpoint_id or await _showing(tx, workspace_id, press.response_id)
        await announce(tx, workspace_id, [_event(row, endpoint_id=endpoint_id)])


async def _showing(tx: Tx, workspace_id: UUID, response_id: UUID) -> UUID | None:
    """An endpoint whose message has buttons."""
    rows = await fetch(tx, _SHOWING, workspace_id, response_id)
    return rows[0]["id"] if rows else None


async def told_now(tx: ReadTx, workspace_id: UUID, response_id: UUID) -> str | None:
    """The `data` of an event about the answer as it stands, JSON; none of an answer that is gone."""
    rows = await fetch(tx, _TOLD, workspace_id, response_id)
    return str(rows[0]["data"]) if rows else None


def _event(row: dict[str, Any], *, endpoint_id: UUID | None) -> Event:
    band = METRICS[row["metric"]].band_for(row["score"])
    answer = {
        "id": shown("response", row["response_id"]),
        "campaign_id": shown("campaign", row["campaign_id"]),
        "score": row["score"],
        "band": band.value,
        "revision": row["response_revision"],
    }
    said = {name: row[name] for name in ("state", "owner", "changed_by", "revision")}
    body = {"follow_up": said | {"changed_at": instant_text(row["changed_at"])}, "response": answer}
    return Event(
        EventType.RESPONSE_FOLLOWED_UP,
        body,
        row["changed_at"],
        revision=row["response_revision"],
        campaign_id=row["campaign_id"],
        response_id=row["response_id"],
        band=band.value,
        score=row["score"],
        endpoint_id=endpoint_id,
    )


_FOLLOW_UP = """
    WITH answered AS (
        SELECT r.workspace_id, r.id, r.score, r.revision, r.campaign_id, c.metric
        FROM responses r JOIN campaigns c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
        WHERE r.workspace_id = $1 AND r.id = $2
    ), changed AS (
        INSERT INTO follow_ups AS f (workspace_id, response_id, state, owner, changed_by, changed_at, resolved_at)
        SELECT workspace_id, id, $3::text, CASE WHEN $3 = 'assigned' THEN $4::text END, $4::text, $5::timestamptz,
            CASE WHEN $3 = 'resolved' THEN $5::timestamptz END
        FROM answered
        ON CONFLICT (workspace_id, response_id) DO UPDATE
        SET state = excluded.state, owner = coalesce(excluded.owner, f.owner), changed_by = excluded.changed_by,
            changed_at = excluded.changed_at, resolved_at = excluded.resolved_at, revision = f.revision + 1
        WHERE f.state <> 'resolved' AND f.changed_at < excluded.changed_at
            AND (f.state, f.owner) IS DISTINCT FROM (excluded.state, coalesce(excluded.owner, f.owner))
        RETURNING f.response_id, f.state, f.owner, f.changed_by, f.changed_at, f.revision
    )
    SELECT f.*, a.score, a.campaign_id, a.metric, a.revision AS response_revision
    FROM changed f JOIN answered a ON a.id = f.response_id
"""
_SHOWING = """
    SELECT w.id FROM remote_records m
    JOIN webhook_endpoints w ON w.workspace_id = m.workspace_id AND w.id = m.endpoint_id
    WHERE m.workspace_id = $1 AND m.subject_id = $2 AND w.kind = 'slack_app' AND w.deleted_at IS NULL
    ORDER BY w.id LIMIT 1
"""
_TOLD = f"""
    SELECT {body_sql(told_sql("r", "c"), "r", "c", "p", band=band_sql("r.score"))}::text AS data
    FROM responses r
    JOIN campaigns c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
    JOIN {METRIC_TABLE} ON m.metric = c.metric
    LEFT JOIN recipients p ON p.workspace_id = r.workspace_id AND p.id = r.recipient_id AND p.deleted_at IS NULL
    WHERE r.workspace_id = $1 AND r.id = $2
"""
