"""Taking in a file, chunk by chunk and each durable for itself, so that no transaction waits for a slow sender."""

from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.domain.people.recipient_file import FileFormat
from app.domain.people.recipient_import import MOST_WAITING, TooManyImports
from app.operations.campaign_recipients import add_recipients

ABANDONED_AFTER = timedelta(hours=1)  # without a further chunk


async def begin_upload(
    tx: Tx,
    workspace_id: UUID,
    *,
    form: FileFormat,
    campaign_id: UUID | None,
    endpoint_id: UUID | None = None,
    now: datetime,
) -> UUID:
    """`endpoint_id`: of what a connector pulls. Raises CampaignNotFound, CampaignFieldFixed, TooManyImports."""
    if campaign_id is not None:
        await add_recipients(tx, workspace_id, campaign_id, [], now=now)
    waiting = await fetch(tx, _COUNT_WAITING, workspace_id)
    if waiting[0]["count"] >= MOST_WAITING:
        raise TooManyImports(f"{MOST_WAITING} imports have not ended yet; wait for one of them.")
    import_id = new_id(now)
    await fetch(tx, _BEGIN, workspace_id, import_id, form.value, campaign_id, endpoint_id, now)
    return import_id


async def store_chunk(tx: Tx, workspace_id: UUID, import_id: UUID, number: int, chunk: bytes, *, now: datetime) -> None:
    await fetch(tx, _STORE_CHUNK, workspace_id, import_id, number, chunk, now)


async def finish_upload(tx: Tx, workspace_id: UUID, import_id: UUID, *, failure: str | None, now: datetime) -> None:
    """From here on it will be worked off, whatever happens to us; unless it has failed already."""
    if failure is None:
        await fetch(tx, _QUEUE, workspace_id, import_id, now)
        return
    await fetch(tx, _DROP_CHUNKS, [workspace_id], [import_id])
    await fetch(tx, _FAIL, workspace_id, import_id, now, failure)


async def abandon_upload(tx: Tx, workspace_id: UUID, import_id: UUID) -> None:
    await fetch(tx, _DROP_CHUNKS, [workspace_id], [import_id])
    await fetch(tx, _DROP, [workspace_id], [import_id])


async def drop_abandoned_uploads(tx: Tx, *, now: datetime) -> int:
    """What was left over when a sender or one of our processes died. Returns how many."""
    left = await fetch(tx, _FIND_ABANDONED, now - ABANDONED_AFTER)
    places = [row["workspace_id"] for row in left], [row["id"] for row in left]
    await fetch(tx, _DROP_CHUNKS, *places)
    await fetch(tx, _DROP, *places)
    return len(left)


_COUNT_WAITING = "SELECT count(*) FROM imports WHERE workspace_id = $1 AND state IN ('receiving', 'queued', 'running')"
_BEGIN = """
    INSERT INTO imports (workspace_id, id, format, campaign_id, endpoint_id, state, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 'receiving', $6, $6)
"""
_STORE_CHUNK = """
    WITH stored AS (
        INSERT INTO import_chunks (workspace_id, import_id, number, bytes) VALUES ($1, $2, $3, $4)
    )
    UPDATE imports SET bytes = bytes + length($4), updated_at = $5 WHERE workspace_id = $1 AND id = $2
"""
_QUEUE = "UPDATE imports SET state = 'queued', updated_at = $3 WHERE workspace_id = $1 AND id = $2"
_FAIL = """
    UPDATE imports SET state = 'failed', failure = $4, finished_at = $3, updated_at = $3, revision = revision + 1
    WHERE workspace_id = $1 AND id = $2
"""
# A pull comes back to what it had begun.
_FIND_ABANDONED = """
    SELECT workspace_id, id FROM imports i WHERE state = 'receiving' AND updated_at < $1 AND NOT EXISTS (
        SELECT FROM pulls p WHERE p.workspace_id = i.workspace_id AND p.import_id = i.id
    )
    ORDER BY created_at LIMIT 20 FOR UPDATE SKIP LOCKED
"""
_OF_THESE = "unnest($1::uuid[], $2::uuid[]) AS gone (workspace_id, id)"
_DROP_CHUNKS = f"""
    DELETE FROM import_chunks c USING {_OF_THESE} WHERE c.workspace_id = gone.workspace_id AND c.import_id = gone.id
"""
_DROP = f"DELETE FROM imports i USING {_OF_THESE} WHERE i.workspace_id = gone.workspace_id AND i.id = gone.id"
