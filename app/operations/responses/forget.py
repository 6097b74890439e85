"""Taking back what was announced about an answer that is deleted."""

from datetime import datetime, timedelta

from sqlalchemy import RowMapping, select

from app.db.engine import Tx
from app.db.statements import fetch
from app.db.tables import response_revisions
from app.domain.ids import uuid_v7
from app.operations.deliveries.forget import HAS_HEADS, WITHOUT_HEADS
from app.operations.responses.bodies import id_sql

# Events carry the time they were made in their id, and each was made when the answer was changed: a look through these
# moments of the primary key spares the busiest table an index that only this needs.
MOMENT = timedelta(seconds=1)


async def forget_what_was_told(tx: Tx, response: RowMapping) -> None:
    """Redacts its events, and what is still to be delivered of them; their ids and the score stay."""
    kept = response_revisions.c
    changed = select(kept.changed_at).where(
        kept.workspace_id == response["workspace_id"], kept.response_id == response["id"]
    )
    moments = [response["created_at"], *(await tx.execute(changed)).scalars()]
    bounds = [[_first_id(moment - MOMENT) for moment in moments], [_first_id(moment + MOMENT) for moment in moments]]
    for statement in (REDACT_EVENTS, EMPTY_REPLIES, THAW_DELIVERIES, THAW_LOG):
        await fetch(tx, statement, response["workspace_id"], response["id"], *bounds)


def _first_id(moment: datetime) -> object:
    return uuid_v7(int(moment.timestamp() * 1000), bytes(10))


TOLD = """
    SELECT DISTINCT e.workspace_id, e.id FROM unnest($3::uuid[], $4::uuid[]) AS moment (first, last)
    JOIN events e ON e.workspace_id = $1 AND e.id BETWEEN moment.first AND moment.last AND e.response_id = $2
"""
REDACT_EVENTS = f"""
    UPDATE events e SET body = json_build_object('redacted', true, 'response', json_build_object(
        'id', {id_sql("response", "e.response_id")}, 'campaign_id', {id_sql("campaign", "e.campaign_id")},
        'score', e.score, 'band', e.band, 'revision', e.revision
    ))
    FROM ({TOLD}) AS told WHERE e.workspace_id = told.workspace_id AND e.id = told.id
"""
EMPTY_REPLIES = f"""
    UPDATE delivery_attempts a SET {WITHOUT_HEADS}
    FROM (
        SELECT d.workspace_id, d.id FROM ({TOLD}) AS told
        JOIN deliveries d ON d.workspace_id = told.workspace_id AND d.event_id = told.id
        UNION ALL
        SELECT d.workspace_id, d.id FROM ({TOLD}) AS told
        JOIN delivery_log d ON d.workspace_id = told.workspace_id AND d.event_id = told.id
    ) AS sent
    WHERE a.workspace_id = sent.workspace_id AND a.delivery_id = sent.id AND {HAS_HEADS}
"""
THAW_DELIVERIES = f"""
    UPDATE deliveries d SET body = NULL FROM ({TOLD}) AS told
    WHERE d.workspace_id = told.workspace_id AND d.event_id = told.id AND d.body IS NOT NULL
"""
THAW_LOG = f"""
    UPDATE delivery_log d SET body = NULL FROM ({TOLD}) AS told
    WHERE d.workspace_id = told.workspace_id AND d.event_id = told.id AND d.body IS NOT NULL
"""
