"""People who are brought in from other services: taken in page by page, each page and how far it got together.

What a run reads becomes an import like an uploaded file, which another worker stores by the same rules. Whoever dies
between two pages is overtaken when the lease ends, and reading goes on exactly there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.db.engine import Tx
from app.db.statements import fetch, some_of
from app.db.vault import Vault
from app.domain.connectors.catalogue import CONNECTORS, connector_of
from app.domain.connectors.pages import Page, Place
from app.domain.connectors.pull import PullNotSet, wait_after
from app.domain.connectors.pulled_fields import PullUnusable, check_fields, rows_of
from app.domain.people.recipient_file import FileFormat
from app.domain.webhooks.attempts import Failure, Outcome, head_text
from app.operations.import_uploads import abandon_upload, begin_upload, finish_upload, store_chunk
from app.operations.pulled_companies import change_known_companies
from app.queries.webhook_endpoints import lock_endpoint

LONGEST_REPLY = 500  # characters
RECORDS_KEPT_FOR, AT_ONCE = timedelta(days=30), 1_000


class PullTakenOver(Exception):
    """The lease ran out and another worker reads on, or the pull is gone."""


@dataclass(frozen=True, slots=True)
class ClaimedPull:
    workspace_id: UUID
    id: UUID  # of the endpoint
    claim_id: UUID
    kind: str
    settings: str  # JSON
    credentials: bytes | None
    fields: Mapping[str, str]
    cursor: str | None  # JSON
    companies_cursor: str | None  # JSON
    position: str | None  # JSON
    started_at: datetime
    import_id: UUID | None
    chunk_count: int
    failures: int
    every: timedelta

    @property
    def is_at_companies(self) -> bool:
        return Place.read(self.position).of_companies


async def set_pull(
    tx: Tx,
    vault: Vault,
    workspace_id: UUID,
    endpoint_id: UUID,
    *,
    every_hours: int,
    fields: Mapping[str, str] | None,
    now: datetime,
) -> None:
    """`fields` none: the usual ones. Begins at once; with other fields, everybody is read anew.

    Raises WebhookEndpointNotFound, PullUnusable.
    """
    endpoint = await lock_endpoint(tx, workspace_id, endpoint_id)
    if endpoint["kind"] not in CONNECTORS:
        raise PullUnusable("Webhooks only send; people are pulled through a connector.")
    opened = vault.open(endpoint["credentials"], workspace_id=workspace_id, row_id=endpoint_id)
    connector = connector_of(endpoint["kind"], {**endpoint["settings"], **json.loads(opened)})
    fields = fields or connector.pulled_fields
    check_fields(connector, fields)
    await fetch(tx, _SET, workspace_id, endpoint_id, every_hours, json.dumps(dict(fields)), now)


async def remove_pull(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> None:
    """What a run under way has read is let go."""
    for row in await fetch(tx, _REMOVE, workspace_id, endpoint_id):
        if row["import_id"] is not None:
            await abandon_upload(tx, workspace_id, row["import_id"])


async def pull_now(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> None:
    """One that is under way goes on. Raises WebhookEndpointNotFound, PullNotSet."""
    await lock_endpoint(tx, workspace_id, endpoint_id)
    if not await fetch(tx, _NOW, workspace_id, endpoint_id, now):
        raise PullNotSet("Say first how people are to be pulled.")


async def pull_again(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> None:
    """If there is anything to pull, and it failed: the settings have changed."""
    await fetch(tx, _AGAIN, workspace_id, endpoint_id, now)


async def pull_everybody(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> None:
    """The next time, for credentials of another account, of which nothing is known yet."""
    await fetch(tx, _FORGET_PLACE, workspace_id, endpoint_id)


async def claim_pull(tx: Tx, *, lease_seconds: float) -> ClaimedPull | None:
    """The one longest due."""
    rows = await fetch(tx, _CLAIM, uuid4(), lease_seconds)
    if not rows:
        return None
    every = timedelta(hours=rows[0].pop("every_hours"))
    return ClaimedPull(**{**rows[0], "fields": json.loads(rows[0]["fields"]), "every": every})


async def keep_page(
    tx: Tx, claimed: ClaimedPull, page: Page, *, reads_companies: bool, overlap: timedelta, now: datetime
) -> None:
    """`overlap`: what is read again of companies, since a change may show late.

    Raises PullTakenOver, TooManyImports; then the transaction must not be committed.
    """
    await _hold(tx, claimed)
    record_ids, chunk = _lines(page, claimed.fields, now=now)
    import_id, number = claimed.import_id, claimed.chunk_count
    if chunk:
        if import_id is None:
            import_id, number = await _begin_import(tx, claimed, now=now), 0
        await store_chunk(tx, claimed.workspace_id, import_id, number, chunk, now=now)
        await fetch(tx, _KEEP_RECORDS, claimed.workspace_id, import_id, record_ids, now)
        number += 1
    if not page.is_last:
        await _write(tx, _GO_ON, claimed, import_id, number, page.following.text(), now)
        return
    await _close(tx, claimed, import_id, now=now)
    cursor, companies = page.following.text(), claimed.companies_cursor
    if companies is not None:
        place = replace(Place.read(companies).earlier(overlap), of_companies=True)
        await _write(tx, _GO_ON_TO_COMPANIES, claimed, import_id, cursor, place.text(), now)
        return
    # The first run has read the companies of everybody; from then on, those that change.
    begun = Place(claimed.started_at - overlap).text() if reads_companies else None
    await _write(tx, _FINISH, claimed, import_id, cursor, begun, now)


async def keep_companies(tx: Tx, claimed: ClaimedPull, page: Page, *, now: datetime) -> None:
    """Raises PullTakenOver."""
    await change_known_companies(tx, claimed.workspace_id, page.records, claimed.fields, now=now)
    following = replace(page.following, of_companies=not page.is_last)
    if page.is_last:
        await _write(tx, _FINISH, claimed, None, claimed.cursor, following.text(), now)
    else:
        await _write(tx, _GO_ON, claimed, None, 0, following.text(), now)


async def fail_pull(tx: Tx, claimed: ClaimedPull, outcome: Outcome, *, now: datetime) -> None:
    """What was read so far is stored; reading goes on behind it. Raises PullTakenOver."""
    failure, asked_seconds = outcome.failure or Failure.ERROR_IN_BODY, outcome.retry_after_seconds
    # What was no refusal may be people, who are kept nowhere else than where they can be erased.
    reply = head_text(outcome.head)[:LONGEST_REPLY] if (outcome.status or 0) >= 400 else None
    wait = wait_after(failure, failures=claimed.failures + 1, every=claimed.every, asked_seconds=asked_seconds)
    await _hold(tx, claimed)
    await _close(tx, claimed, claimed.import_id, now=now)
    await _write(tx, _FAIL, claimed, claimed.import_id, failure.value, now + wait, now, reply)


async def put_off(tx: Tx, claimed: ClaimedPull, *, wait: timedelta, now: datetime) -> None:
    """For trouble of our own. Raises PullTakenOver."""
    await _write(tx, _PUT_OFF, claimed, now + wait)


async def forget_pulled_pages(tx: Tx, *, now: datetime) -> int:
    """One batch of old ones; says how many."""
    return len(await fetch(tx, _FORGET_RECORDS, now - RECORDS_KEPT_FOR, AT_ONCE))


def _lines(page: Page, fields: Mapping[str, str], *, now: datetime) -> tuple[list[str], bytes]:
    """Which record each is, and what an import reads."""
    rows = [(record.id, row) for record in page.records for row in rows_of(record, fields, now=now)]
    return [record_id for record_id, _ in rows], "".join(f"{json.dumps(row)}\n" for _, row in rows).encode()


async def _begin_import(tx: Tx, claimed: ClaimedPull, *, now: datetime) -> UUID:
    return await begin_upload(
        tx, claimed.workspace_id, form=FileFormat.NDJSON, campaign_id=None, endpoint_id=claimed.id, now=now
    )


async def _hold(tx: Tx, claimed: ClaimedPull) -> None:
    """Before its import, as by whoever removes it. Raises PullTakenOver."""
    await _write(tx, _HOLD, claimed)


async def _close(tx: Tx, claimed: ClaimedPull, import_id: UUID | None, *, now: datetime) -> None:
    if import_id is not None:
        await finish_upload(tx, claimed.workspace_id, import_id, failure=None, now=now)


async def _write(tx: Tx, statement: str, claimed: ClaimedPull, *values: Any) -> None:
    mine = claimed.workspace_id, claimed.id, claimed.claim_id
    if not await fetch(tx, statement, *mine, *values):
        raise PullTakenOver


# Other fields are read of everybody, by a run that begins anew.
_SET = """
    INSERT INTO pulls AS p (workspace_id, endpoint_id, every_hours, fields, due_at, created_at, updated_at)
    VALUES ($1, $2, $3, $4::json, $5, $5, $5)
    ON CONFLICT (workspace_id, endpoint_id) DO UPDATE
    SET every_hours = excluded.every_hours, fields = excluded.fields, updated_at = excluded.updated_at,
        due_at = least(excluded.due_at, p.due_at), claim_id = NULL, failures = 0, last_failure = NULL,
        last_reply = NULL, cursor = CASE WHEN p.fields::text = excluded.fields::text THEN p.cursor END,
        companies_cursor = CASE WHEN p.fields::text = excluded.fields::text THEN p.companies_cursor END,
        position = CASE WHEN p.fields::text = excluded.fields::text THEN p.position END
"""
_REMOVE = "DELETE FROM pulls WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING import_id"
_NOW = """
    UPDATE pulls SET due_at = CASE WHEN claim_id IS NULL THEN $3 ELSE due_at END
    WHERE workspace_id = $1 AND endpoint_id = $2 RETURNING 1
"""
_AGAIN = "UPDATE pulls SET due_at = $3 WHERE workspace_id = $1 AND endpoint_id = $2 AND failures > 0"
_FORGET_PLACE = """
    UPDATE pulls SET cursor = NULL, companies_cursor = NULL, position = NULL, claim_id = NULL
    WHERE workspace_id = $1 AND endpoint_id = $2
"""
_CLAIM = """
    WITH chosen AS (
        SELECT p.workspace_id, p.endpoint_id, e.kind, e.settings::text AS settings, e.credentials
        FROM pulls p JOIN webhook_endpoints e ON e.workspace_id = p.workspace_id AND e.id = p.endpoint_id
        WHERE p.due_at <= clock_timestamp() AND e.disabled_at IS NULL AND e.deleted_at IS NULL
        ORDER BY p.due_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED
    )
    UPDATE pulls p
    SET claim_id = $1, due_at = clock_timestamp() + make_interval(secs => $2),
        started_at = CASE WHEN p.position IS NULL THEN clock_timestamp() ELSE p.started_at END
    FROM chosen c WHERE p.workspace_id = c.workspace_id AND p.endpoint_id = c.endpoint_id
    RETURNING p.workspace_id, p.endpoint_id AS id, p.claim_id, c.kind, c.settings, c.credentials,
        p.fields::text AS fields, p.cursor::text AS cursor, p.companies_cursor::text AS companies_cursor,
        p.position::text AS position, p.started_at, p.import_id, p.chunk_count, p.failures, p.every_hours
"""
_IS_MINE = "workspace_id = $1 AND endpoint_id = $2 AND claim_id = $3"
_HOLD = f"SELECT 1 FROM pulls WHERE {_IS_MINE} FOR NO KEY UPDATE"
_GO_ON = f"""
    UPDATE pulls SET import_id = $4, chunk_count = $5, position = $6::text::jsonb, due_at = $7, updated_at = $7,
        claim_id = NULL, failures = 0, last_failure = NULL, last_reply = NULL
    WHERE {_IS_MINE} RETURNING 1
"""
_FINISH = f"""
    UPDATE pulls SET cursor = $5::text::jsonb, companies_cursor = $6::text::jsonb, position = NULL, import_id = NULL,
        chunk_count = 0, claim_id = NULL, last_import_id = coalesce($4, last_import_id), finished_at = $7,
        updated_at = $7, failures = 0, last_failure = NULL, last_reply = NULL,
        due_at = greatest(started_at + make_interval(hours => every_hours), $7)
    WHERE {_IS_MINE} RETURNING 1
"""
_GO_ON_TO_COMPANIES = f"""
    UPDATE pulls SET cursor = $5::text::jsonb, position = $6::text::jsonb, import_id = NULL, chunk_count = 0,
        last_import_id = coalesce($4, last_import_id), due_at = $7, updated_at = $7, claim_id = NULL, failures = 0,
        last_failure = NULL, last_reply = NULL
    WHERE {_IS_MINE} RETURNING 1
"""
_FAIL = f"""
    UPDATE pulls SET last_import_id = coalesce($4, last_import_id), import_id = NULL, chunk_count = 0,
        failures = failures + 1, last_failure = $5, last_reply = $8, due_at = $6, updated_at = $7, claim_id = NULL
    WHERE {_IS_MINE} RETURNING 1
"""
_KEEP_RECORDS = """
    INSERT INTO pulled_pages (workspace_id, import_id, first_line, record_ids, created_at)
    SELECT $1::uuid, $2::uuid, coalesce(max(first_line + cardinality(record_ids)), 1), $3::text[], $4::timestamptz
    FROM pulled_pages WHERE workspace_id = $1 AND import_id = $2
"""
_OLD_RECORDS = some_of("pulled_pages", "created_at < $1", limit="$2")
_FORGET_RECORDS = f"DELETE FROM pulled_pages WHERE {_OLD_RECORDS} RETURNING 1"
_PUT_OFF = f"UPDATE pulls SET due_at = $4, claim_id = NULL WHERE {_IS_MINE} RETURNING 1"
