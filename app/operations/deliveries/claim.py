"""Taking what is due, for the length of a lease.

    1. lock due endpoints      the ones longest due; those another worker holds are skipped
    2. claim their deliveries  fairly, and no more than the endpoint's cap on what is in flight
    3. freeze delayed bodies   so that the comment arrives with the score, and every retry is the same bytes
    4. note what is due next   the endpoint's row says when looking at it is worth while again

The second statement needs a snapshot of its own, younger than the lock: whoever commits a delivery then waits for the
lock and lowers the row's `due_at` afterwards. In one statement, a delivery that was committed between snapshot and
lock would be overlooked, and its wake-up overwritten.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.db.statements import Connection, fetch
from app.operations.responses.bodies import METRIC_TABLE, band_sql

ENDPOINTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Lease:
    """One claim: the deliveries of one transaction, ours until PostgreSQL's clock says otherwise."""

    id: UUID
    seconds: float

    @classmethod
    def of(cls, seconds: float) -> "Lease":
        return cls(uuid4(), seconds)


@dataclass(frozen=True, slots=True)
class SealedSecret:
    id: UUID
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class DueEndpoint:
    workspace_id: UUID
    id: UUID
    url: str
    is_delayed: bool
    livemode: bool
    secrets: tuple[SealedSecret, ...]
    kind: str
    settings: str  # JSON
    credentials: bytes | None


@dataclass(slots=True)
class ClaimedDelivery:
    endpoint: DueEndpoint
    id: UUID
    claim_id: UUID
    attempts: int  # made so far, over all manual retries
    step: int  # of them, since the timetable began
    event_id: UUID
    event_type: str
    occurred_at: datetime
    schema_version: int
    data: str = field(repr=False)  # JSON


async def claim_due_deliveries(
    tx: Connection, *, lease: Lease, limit: int, cap_of: Callable[[UUID], int]
) -> list[ClaimedDelivery]:
    """`cap_of` an endpoint: how many of its deliveries may be in flight, over all workers."""
    endpoints = await _lock_due_endpoints(tx, limit=min(limit, ENDPOINTS_AT_ONCE))
    if not endpoints:
        return []
    caps = [cap_of(endpoint_id) for endpoint_id in endpoints]
    share = -(-limit // len(endpoints))
    rows = await fetch(tx, _CLAIM, *_keys(endpoints), caps, share, limit, lease.id, lease.seconds)
    frozen = await _freeze_delayed(tx, endpoints, rows, lease)
    await fetch(tx, _NOTE_NEXT_DUE, *_keys(endpoints), caps)
    return [_claimed(endpoints[row["endpoint_id"]], row, lease, frozen) for row in rows]


async def _lock_due_endpoints(tx: Connection, *, limit: int) -> dict[UUID, DueEndpoint]:
    rows = await fetch(tx, _LOCK_DUE, limit)
    resting = {row["id"]: row["workspace_id"] for row in rows if row["is_resting"]}
    if resting:
        await fetch(tx, _FORGET_RESTING, list(resting.values()), list(resting))
    return {row["id"]: _due_endpoint(row) for row in rows if not row["is_resting"]}


async def _freeze_delayed(
    tx: Connection, endpoints: Mapping[UUID, DueEndpoint], rows: Sequence[Mapping[str, Any]], lease: Lease
) -> Mapping[UUID, str]:
    """The bodies frozen now, by delivery."""
    fresh = [row["id"] for row in rows if row["attempts"] == 0 and endpoints[row["endpoint_id"]].is_delayed]
    if not fresh:
        return {}
    # Claims may be lost with a crashed PostgreSQL, but a body that went out may not.
    await fetch(tx, "SET LOCAL synchronous_commit = on")
    workspaces = [row["workspace_id"] for row in rows if row["id"] in set(fresh)]
    return {row["id"]: row["data"] for row in await fetch(tx, _FREEZE, workspaces, fresh, lease.id)}


def _keys(endpoints: Mapping[UUID, DueEndpoint]) -> tuple[list[UUID], list[UUID]]:
    return [endpoint.workspace_id for endpoint in endpoints.values()], list(endpoints)


def _due_endpoint(row: Mapping[str, Any]) -> DueEndpoint:
    secrets = zip(row["secret_ids"], row["ciphertexts"], strict=True)
    return DueEndpoint(
        row["workspace_id"], row["id"], row["url"], row["is_delayed"], row["livemode"],
        tuple(SealedSecret(*secret) for secret in secrets), row["kind"], row["settings"], row["credentials"],
    )  # fmt: skip


def _claimed(
    endpoint: DueEndpoint, row: Mapping[str, Any], lease: Lease, frozen: Mapping[UUID, str]
) -> ClaimedDelivery:
    return ClaimedDelivery(
        endpoint, row["id"], lease.id, row["attempts"], row["step"], row["event_id"], row["type"],
        row["occurred_at"], row["schema_version"], frozen.get(row["id"], row["data"]),
    )  # fmt: skip


# Locked before anything is joined to them, or else all that are due would be joined to find the first.
_LOCK_DUE = """
    WITH locked AS MATERIALIZED (
        SELECT workspace_id, endpoint_id FROM endpoint_work WHERE due_at <= now()
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    SELECT w.workspace_id, w.endpoint_id AS id, e.url, e.delay_seconds > 0 AS is_delayed, s.mode = 'live' AS livemode,
        e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL AS is_resting,
        e.kind, e.settings::text AS settings, e.credentials,
        secret.ids AS secret_ids, secret.ciphertexts
    FROM locked w
    JOIN webhook_endpoints e ON e.workspace_id = w.workspace_id AND e.id = w.endpoint_id
    JOIN workspaces s ON s.id = w.workspace_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(k.id ORDER BY k.id DESC), '{}') AS ids,
            coalesce(array_agg(k.ciphertext ORDER BY k.id DESC), '{}') AS ciphertexts
        FROM endpoint_secrets k
        WHERE k.workspace_id = w.workspace_id AND k.endpoint_id = w.endpoint_id
            AND (k.expires_at IS NULL OR k.expires_at > now())
    ) AS secret
"""

# Whoever enables it notes its work again. Asked anew, since the endpoint may have been enabled before we had the lock.
_FORGET_RESTING = """
    DELETE FROM endpoint_work w
    USING unnest($1::uuid[], $2::uuid[]) AS r (workspace_id, endpoint_id), webhook_endpoints e
    WHERE w.workspace_id = r.workspace_id AND w.endpoint_id = r.endpoint_id
        AND e.workspace_id = w.workspace_id AND e.id = w.endpoint_id
        AND (e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL)
"""

# A lease that has run out is due again, like anything else whose time has come.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT d.workspace_id, d.id
        FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS w (workspace_id, endpoint_id, cap)
        CROSS JOIN LATERAL (
            SELECT count(*) AS leased FROM deliveries d
            WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id
                AND d.claim_id IS NOT NULL AND d.due_at > now()
        ) AS flight
        CROSS JOIN LATERAL (
            SELECT d.workspace_id, d.id FROM deliveries d
            WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id AND d.due_at <= now()
            ORDER BY d.due_at LIMIT greatest(least($4, w.cap - flight.leased), 0)
            FOR UPDATE SKIP LOCKED
        ) AS d
        LIMIT $5
    ), claimed AS (
        UPDATE deliveries d SET claim_id = $6, due_at = now() + make_interval(secs => $7)
        FROM due WHERE d.workspace_id = due.workspace_id AND d.id = due.id
        RETURNING d.workspace_id, d.id, d.event_id, d.endpoint_id, d.attempts, d.step, d.body
    )
    SELECT c.workspace_id, c.id, c.event_id, c.endpoint_id, c.attempts, c.step,
        e.type, e.occurred_at, e.schema_version, coalesce(c.body, e.body)::text AS data
    FROM claimed c JOIN events e ON e.workspace_id = c.workspace_id AND e.id = c.event_id
"""

# The event's own answer as it stands now; one that is gone leaves the body as the event has it. What is not newer is
# frozen as well: if we die after sending it, the next attempt must not find something newer.
_FREEZE = f"""
    UPDATE deliveries d SET body = frozen.body
    FROM (
        SELECT f.workspace_id, f.id, CASE WHEN r.revision > e.revision AND e.body ->> 'redacted' IS NULL THEN
            jsonb_set(e.body::jsonb, '{{response}}', (e.body::jsonb -> 'response') || jsonb_build_object(
                'score', r.score, 'band', {band_sql("r.score")}, 'comment', r.comment, 'revision', r.revision
            ))::json ELSE e.body END AS body
        FROM unnest($1::uuid[], $2::uuid[]) AS fresh (workspace_id, id)
        JOIN deliveries f ON f.workspace_id = fresh.workspace_id AND f.id = fresh.id
        JOIN events e ON e.workspace_id = f.workspace_id AND e.id = f.event_id
            AND e.type IN ('response.created', 'response.updated', 'response.band_changed')
        LEFT JOIN responses r ON r.workspace_id = e.workspace_id AND r.id = e.response_id
        LEFT JOIN campaigns c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
        LEFT JOIN {METRIC_TABLE} ON m.metric = c.metric
    ) AS frozen
    WHERE d.workspace_id = frozen.workspace_id AND d.id = frozen.id AND d.claim_id = $3 AND d.body IS NULL
    RETURNING d.id, d.body::text AS data
"""

# An endpoint at its cap is looked at again when a lease runs out, unless settling one frees a place sooner.
_NOTE_NEXT_DUE = """
    WITH next AS (
        SELECT w.workspace_id, w.endpoint_id,
            CASE WHEN flight.leased >= w.cap THEN flight.first_ends_at ELSE first.due_at END AS due_at
        FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS w (workspace_id, endpoint_id, cap)
        CROSS JOIN LATERAL (
            SELECT count(*) AS leased, min(d.due_at) AS first_ends_at FROM deliveries d
            WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id
                AND d.claim_id IS NOT NULL AND d.due_at > now()
        ) AS flight
        LEFT JOIN LATERAL (
            SELECT d.due_at FROM deliveries d
            WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id
            ORDER BY d.due_at LIMIT 1
        ) AS first ON true
    ), idle AS (
        DELETE FROM endpoint_work w USING next
        WHERE w.workspace_id = next.workspace_id AND w.endpoint_id = next.endpoint_id AND next.due_at IS NULL
    )
    UPDATE endpoint_work w SET due_at = next.due_at FROM next
    WHERE w.workspace_id = next.workspace_id AND w.endpoint_id = next.endpoint_id AND next.due_at IS NOT NULL
"""
