"""What connectors made at other services is remembered for as long as an answer may still change."""

from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, some_of
from app.domain.connectors.protocol import Made

KEPT_FOR = timedelta(days=365)
AT_ONCE = 5_000


async def remember(
    tx: Tx, workspace_id: UUID, endpoint_id: UUID, subject_id: UUID, made: Made, *, origin: str, now: datetime
) -> None:
    """What tells of a newer revision is not overwritten by what comes late. Of an endpoint that is gone, or does not
    send to this origin any more, nothing.
    """
    what = subject_id, made.name, made.remote_id, made.revision
    await fetch(tx, _REMEMBER, workspace_id, endpoint_id, *what, now, origin)


async def forget_records_of(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> None:
    await fetch(tx, _FORGET_ALL, workspace_id, endpoint_id)


async def forget_remote_records(tx: Tx, *, now: datetime) -> int:
    """One batch of old ones; says how many."""
    return len(await fetch(tx, _FORGET, now - KEPT_FOR, AT_ONCE))


_REMEMBER = """
    INSERT INTO remote_records (workspace_id, endpoint_id, subject_id, name, remote_id, told_revision, made_at)
    SELECT workspace_id, id, $3, $4, $5, $6, $7 FROM webhook_endpoints
    WHERE workspace_id = $1 AND id = $2 AND url = $8 AND deleted_at IS NULL
    ON CONFLICT (workspace_id, endpoint_id, subject_id, name) DO UPDATE
    SET remote_id = excluded.remote_id, told_revision = excluded.told_revision
    WHERE remote_records.told_revision <= excluded.told_revision
"""

_FORGET_ALL = "DELETE FROM remote_records WHERE workspace_id = $1 AND endpoint_id = $2"

_OLD = some_of("remote_records", "made_at < $1", limit="$2")
_FORGET = f"DELETE FROM remote_records WHERE {_OLD} RETURNING 1"
