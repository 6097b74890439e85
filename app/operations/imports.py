"""Working off an import: claimed by a lease, a few thousand rows a transaction, each with its progress.

What is committed is committed together with how far we are, so another worker goes on exactly there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.errors import DomainError
from app.domain.events import Event, EventType
from app.domain.people.recipient import RecipientInput
from app.domain.people.recipient_file import FileFormat
from app.domain.people.recipient_import import MOST_ATTEMPTS, MOST_ERRORS_KEPT, import_body
from app.domain.people.upserted import Change, Upserted
from app.operations.campaign_recipients import add_recipients
from app.operations.events import announce
from app.operations.pulled_opt_outs import pass_on_opt_outs
from app.operations.recipients import Outcome, upsert_recipients
from app.queries.imports import IS_DUE


class ImportTakenOver(Exception):
    """The lease ran out and another worker has the import now, or it is gone."""


@dataclass(frozen=True, slots=True)
class ClaimedImport:
    workspace_id: UUID
    id: UUID
    claim_id: UUID
    form: FileFormat
    campaign_id: UUID | None
    endpoint_id: UUID | None  # of the connector it was pulled through
    uploaded_at: datetime
    rows_read: int  # by whoever had it before
    attempts: int

    @property
    def is_hopeless(self) -> bool:
        return self.attempts > MOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class SaidRows:
    """What rows say, the lines they begin on, and how much of the file has been read with them."""

    said: Sequence[RecipientInput | DomainError]
    lines: Sequence[int]
    bytes_read: int


async def claim_import(tx: Tx, *, lease_seconds: float) -> ClaimedImport | None:
    """The next of the workspace that has waited longest for its turn; one of a workspace at a time."""
    rows = await fetch(tx, _CLAIM, uuid4(), lease_seconds)
    return ClaimedImport(**{**rows[0], "form": FileFormat(rows[0]["form"])}) if rows else None


_CLAIM = f"""
    WITH chosen AS (
        SELECT i.workspace_id, i.id FROM imports i
        WHERE {IS_DUE}
        ORDER BY (SELECT max(e.finished_at) FROM imports e WHERE e.workspace_id = i.workspace_id) NULLS FIRST,
            i.created_at
        LIMIT 1 FOR UPDATE OF i SKIP LOCKED
    )
    UPDATE imports i
    SET state = 'running', claim_id = $1, lease_until = clock_timestamp() + make_interval(secs => $2),
        attempts = attempts + 1, started_at = coalesce(started_at, now()), updated_at = now(), revision = revision + 1
    FROM chosen WHERE i.workspace_id = chosen.workspace_id AND i.id = chosen.id
    RETURNING i.workspace_id, i.id, i.claim_id, i.format AS form, i.campaign_id, i.endpoint_id,
        i.created_at AS uploaded_at, i.rows_read, i.attempts
"""


async def renew_lease(tx: Tx, claimed: ClaimedImport, *, lease_seconds: float) -> None:
    """Raises ImportTakenOver."""
    if not await fetch(tx, _RENEW, *_mine(claimed), lease_seconds):
        raise ImportTakenOver


async def give_back(tx: Tx, claimed: ClaimedImport) -> None:
    """Whoever comes next need not wait for the lease to end."""
    await fetch(tx, _GIVE_BACK, *_mine(claimed))


async def store_people(
    tx: Tx, claimed: ClaimedImport, rows: SaidRows, *, now: datetime, hmac_key: bytes
) -> list[Outcome]:
    """How each row ended. Nobody would know of it without `note_rows` in the same transaction."""
    said = [row for row in rows.said if isinstance(row, RecipientInput)]
    done = await upsert_recipients(tx, said, now=now, hmac_key=hmac_key, said_at=claimed.uploaded_at)
    if claimed.endpoint_id is not None:
        await pass_on_opt_outs(tx, claimed.workspace_id, said, done, read_from=claimed.endpoint_id, now=now)
    if claimed.campaign_id is not None:
        people = [outcome.id for outcome in done if isinstance(outcome, Upserted)]
        await add_recipients(tx, claimed.workspace_id, claimed.campaign_id, people, now=now)
    if len(done) == len(rows.said):
        return done
    ends = iter(done)
    return [next(ends) if isinstance(row, RecipientInput) else row for row in rows.said]


async def note_rows(
    tx: Tx,
    claimed: ClaimedImport,
    rows: SaidRows,
    outcomes: Sequence[Outcome],
    *,
    lease_seconds: float,
    now: datetime,
) -> None:
    """The progress made; in the order of the file, since whoever takes over begins behind it. Raises ImportTakenOver,
    and then the transaction must not be committed.
    """
    await _note_progress(tx, claimed, outcomes, bytes_read=rows.bytes_read, lease_seconds=lease_seconds, now=now)
    await _keep_errors(tx, claimed, list(zip(rows.lines, outcomes, strict=True)))


async def _note_progress(
    tx: Tx,
    claimed: ClaimedImport,
    outcomes: Sequence[Outcome],
    *,
    bytes_read: int,
    lease_seconds: float,
    now: datetime,
) -> None:
    changes = [outcome.change for outcome in outcomes if isinstance(outcome, Upserted)]
    counts = [changes.count(change) for change in (Change.CREATED, Change.UPDATED, Change.UNCHANGED)]
    figures = len(outcomes), *counts, len(outcomes) - len(changes), bytes_read
    if not await fetch(tx, _NOTE_PROGRESS, *_mine(claimed), *figures, lease_seconds, now):
        raise ImportTakenOver


async def _keep_errors(tx: Tx, claimed: ClaimedImport, ends: Sequence[tuple[int, Outcome]]) -> None:
    errors = [(line, end) for line, end in ends if isinstance(end, DomainError)]
    if not errors:
        return
    await fetch(
        tx,
        _KEEP_ERRORS,
        claimed.workspace_id,
        claimed.id,
        [line for line, _ in errors],
        [error.code for _, error in errors],
        [error.pointer.removeprefix("/") or None if error.pointer else None for _, error in errors],
        [error.detail for _, error in errors],
        MOST_ERRORS_KEPT,
    )


async def complete_import(tx: Tx, claimed: ClaimedImport, *, now: datetime) -> None:
    """One announcement for all its people. Raises ImportTakenOver."""
    row = await _end(tx, claimed, state="completed", failure=None, now=now)
    event = Event(
        EventType.IMPORT_COMPLETED, {"import": import_body(row)}, now,
        revision=row["revision"], campaign_id=claimed.campaign_id,
    )  # fmt: skip
    await announce(tx, claimed.workspace_id, [event])


async def fail_import(tx: Tx, claimed: ClaimedImport, reason: str, *, now: datetime) -> None:
    """Rows stored so far stay. Raises ImportTakenOver."""
    await _end(tx, claimed, state="failed", failure=reason, now=now)


async def _end(tx: Tx, claimed: ClaimedImport, *, state: str, failure: str | None, now: datetime) -> dict[str, Any]:
    ended = await fetch(tx, _END, *_mine(claimed), state, failure, now)
    if not ended:
        raise ImportTakenOver
    await fetch(tx, _DROP_CHUNKS, claimed.workspace_id, claimed.id)
    return ended[0]


def _mine(claimed: ClaimedImport) -> tuple[UUID, UUID, UUID]:
    return claimed.workspace_id, claimed.id, claimed.claim_id


_IS_MINE = "workspace_id = $1 AND id = $2 AND claim_id = $3 AND state = 'running'"
_RENEW = f"""
    UPDATE imports SET lease_until = clock_timestamp() + make_interval(secs => $4) WHERE {_IS_MINE} RETURNING id
"""
_GIVE_BACK = f"""
    UPDATE imports SET lease_until = clock_timestamp(), attempts = greatest(attempts - 1, 0) WHERE {_IS_MINE}
"""
_NOTE_PROGRESS = f"""
    UPDATE imports
    SET rows_read = rows_read + $4, rows_created = rows_created + $5, rows_updated = rows_updated + $6,
        rows_unchanged = rows_unchanged + $7, rows_rejected = rows_rejected + $8, bytes_read = $9, attempts = 0,
        lease_until = clock_timestamp() + make_interval(secs => $10), updated_at = $11, revision = revision + 1
    WHERE {_IS_MINE} RETURNING id
"""
_KEEP_ERRORS = """
    INSERT INTO import_errors (workspace_id, import_id, line, code, field, detail)
    SELECT $1::uuid, $2::uuid, line, code, field, detail
    FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[]) AS said (line, code, field, detail)
    WHERE (SELECT rows_rejected FROM imports WHERE workspace_id = $1 AND id = $2) <= $7
"""
_END = f"""
    UPDATE imports
    SET state = $4, failure = $5, finished_at = $6, updated_at = $6, bytes_read = CASE $4 WHEN 'completed' THEN bytes
        ELSE bytes_read END, claim_id = NULL, lease_until = NULL, revision = revision + 1
    WHERE {_IS_MINE} RETURNING *
"""
_DROP_CHUNKS = "DELETE FROM import_chunks WHERE workspace_id = $1 AND import_id = $2"
