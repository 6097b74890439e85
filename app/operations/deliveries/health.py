"""What the attempts of all workers together say about each endpoint. A healthy one has no row and costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db.statements import Connection, fetch
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.breaker import OPENS_AFTER, PAUSES


@dataclass(frozen=True, slots=True)
class Finding:
    """Of one endpoint, in one batch of outcomes. A single success speaks for its health, whatever else failed."""

    workspace_id: UUID
    endpoint_id: UUID
    failures: int  # none: something arrived
    last_failure: Failure | None


async def note_health(connection: Connection, findings: Sequence[Finding]) -> None:
    """An endpoint that recovers is forgotten; one that fails too often in a row is paused, and longer each time."""
    if not findings:
        return
    columns = zip(
        *((one.workspace_id, one.endpoint_id, one.failures, one.last_failure) for one in findings), strict=True
    )
    await fetch(connection, _NOTE, *map(list, columns), OPENS_AFTER, list(PAUSES))


async def forget_health(tx: Connection, workspace_id: UUID, endpoint_id: UUID) -> datetime | None:
    """A new start: it was enabled again, has a new URL, or is gone. Returns since when it had been failing."""
    forgotten = await fetch(tx, _FORGET, workspace_id, endpoint_id)
    return forgotten[0]["failing_since"] if forgotten else None


async def end_pause(tx: Connection, workspace_id: UUID, endpoint_id: UUID) -> None:
    """Somebody wants to know now: the next delivery goes out as a probe."""
    await fetch(tx, _END_PAUSE, workspace_id, endpoint_id)


# What comes in while it is paused was begun before, and lengthens nothing. Rows are locked in the order of their key.
_NOTE = """
    WITH seen AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[])
            AS s (workspace_id, endpoint_id, failures, last_failure)
    ), recovering AS MATERIALIZED (
        SELECT workspace_id, endpoint_id FROM endpoint_health JOIN seen s USING (workspace_id, endpoint_id)
        WHERE s.failures = 0 ORDER BY workspace_id, endpoint_id FOR UPDATE OF endpoint_health
    ), recovered AS (
        DELETE FROM endpoint_health h USING recovering r
        WHERE h.workspace_id = r.workspace_id AND h.endpoint_id = r.endpoint_id
    )
    INSERT INTO endpoint_health AS h
        (workspace_id, endpoint_id, failures, failing_since, last_failed_at, last_failure, pauses, paused_until)
    SELECT workspace_id, endpoint_id, failures, now(), now(), last_failure,
        CASE WHEN failures >= $5 THEN 1 ELSE 0 END, CASE WHEN failures >= $5 THEN now() + ($6::interval[])[1] END
    FROM seen WHERE failures > 0
    ORDER BY workspace_id, endpoint_id
    ON CONFLICT (workspace_id, endpoint_id) DO UPDATE SET
        failures = h.failures + excluded.failures,
        last_failed_at = now(),
        last_failure = excluded.last_failure,
        pauses = CASE WHEN h.paused_until > now() OR h.failures + excluded.failures < $5 THEN h.pauses
            ELSE h.pauses + 1 END,
        paused_until = CASE WHEN h.paused_until > now() OR h.failures + excluded.failures < $5 THEN h.paused_until
            ELSE now() + ($6::interval[])[least(h.pauses + 1, cardinality($6::interval[]))] END
"""

_FORGET = "DELETE FROM endpoint_health WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING failing_since"
_END_PAUSE = """
    UPDATE endpoint_health SET paused_until = now()
    WHERE workspace_id = $1 AND endpoint_id = $2 AND paused_until > now()
"""
