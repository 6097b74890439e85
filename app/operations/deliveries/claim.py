"""Taking what is due, for the length of a lease.

    1. lock due endpoints      the ones longest due; those another worker holds are skipped
    2. claim their deliveries  fairly, and no more than the endpoint's cap, breaker and rate allow
    3. freeze delayed bodies   so that the comment arrives with the score, and every retry is the same bytes
    4. note what is due next   the endpoint's row says when looking at it is worth while again

The second statement needs a snapshot of its own, younger than the lock: whoever commits a delivery then waits for the
lock and lowers the row's `due_at` afterwards. In one statement, a delivery that was committed between snapshot and
lock would be overlooked, and its wake-up overwritten.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.db.statements import Connection, fetch
from app.domain.webhooks.endpoint_rate import batch_of
from app.domain.webhooks.payload_template import JSON
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
    payload: str
    template: str | None
    content_type: str
    sealed_options: bytes | None
    secrets: tuple[SealedSecret, ...]
    kind: str
    settings: str  # JSON
    credentials: bytes | None
    is_failing: bool = False  # its last attempt failed
    most_at_once: int | None = None  # as its breaker has it: nothing, a probe, or no limit
    rate: int | None = None  # deliveries per second
    is_spent: bool = False  # as many were taken as its rate allows so far


_READ_AS_IS = [one.name for one in fields(DueEndpoint) if one.name not in {"content_type", "secrets"}]


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


@dataclass(frozen=True, slots=True)
class Claim:
    deliveries: Sequence[ClaimedDelivery] = ()
    next_in_seconds: float | None = None  # until one of the endpoints looked at has something due; may be 0


async def claim_due_deliveries(tx: Connection, *, lease: Lease, limit: int, cap_of: Callable[[UUID], int]) -> Claim:
    """`cap_of` an endpoint: how many of its deliveries may be in flight, over all workers."""
    locked = await _lock_due_endpoints(tx, limit=min(limit, ENDPOINTS_AT_ONCE))
    if not locked:
        return Claim()
    shares = _shares(list(locked.values()), limit)
    endpoints = {one: locked[one] for one in shares}
    caps = [_cap(endpoint, cap_of) for endpoint in endpoints.values()]
    most = [_within_rate(endpoint, shares[one]) for one, endpoint in endpoints.items()]
    rows = await fetch(tx, _CLAIM, *_keys(endpoints), caps, most, limit, lease.id, lease.seconds)
    frozen = await _freeze_delayed(tx, endpoints, rows, lease)
    noted = await fetch(tx, _NOTE_NEXT_DUE, *_keys(endpoints), caps, _paid(endpoints, rows))
    claimed = [_claimed(endpoints[row["endpoint_id"]], row, lease, frozen) for row in rows]
    return Claim(claimed, 0.0 if len(endpoints) < len(locked) else min((row["due_in"] for row in noted), default=None))


async def _lock_due_endpoints(tx: Connection, *, limit: int) -> dict[UUID, DueEndpoint]:
    rows = await fetch(tx, _LOCK_DUE, limit)
    resting = {row["id"]: row["workspace_id"] for row in rows if row["is_resting"]}
    if resting:
        await fetch(tx, _FORGET_RESTING, list(resting.values()), list(resting))
    return {row["id"]: _due_endpoint(row) for row in rows if not row["is_resting"]}


def _cap(endpoint: DueEndpoint, cap_of: Callable[[UUID], int]) -> int:
    cap = cap_of(endpoint.id)
    return cap if endpoint.most_at_once is None else min(cap, endpoint.most_at_once)


def _shares(endpoints: Sequence[DueEndpoint], limit: int) -> Mapping[UUID, int]:
    """Each workspace gets the same, whether it has one endpoint or a hundred; what is not used goes round again.

    Endpoints that nothing is left for are left out, and stay first in the queue.
    """
    of_workspace: dict[UUID, list[UUID]] = {}
    for endpoint in endpoints:
        of_workspace.setdefault(endpoint.workspace_id, []).append(endpoint.id)
    share = -(-limit // len(of_workspace))
    return {
        one: count
        for ids in of_workspace.values()
        for number, one in enumerate(ids)
        if (count := share // len(ids) + (number < share % len(ids)))
    }


def _within_rate(endpoint: DueEndpoint, share: int) -> int:
    if endpoint.is_spent:
        return 0
    return share if endpoint.rate is None else min(share, batch_of(endpoint.rate))


def _paid(endpoints: Mapping[UUID, DueEndpoint], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """Seconds of its rate that each has used up by this claim; None without a rate."""
    taken = Counter(row["endpoint_id"] for row in rows)
    return [taken[one.id] / one.rate if one.rate else None for one in endpoints.values()]


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
        content_type=row["template_content_type"] or JSON,
        secrets=tuple(SealedSecret(*secret) for secret in secrets),
        **{name: row[name] for name in _READ_AS_IS},
    )


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
        SELECT workspace_id, endpoint_id, paid_until, due_at FROM endpoint_work WHERE due_at <= now()
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    SELECT w.workspace_id, w.endpoint_id AS id, e.url, e.delay_seconds > 0 AS is_delayed, s.mode = 'live' AS livemode,
        e.payload, e.template, e.template_content_type, e.sealed_options,
        e.disabled_at IS NOT NULL OR e.deleted_at IS NOT NULL AS is_resting,
        e.kind, e.settings::text AS settings, e.credentials,
        secret.ids AS secret_ids, secret.ciphertexts, h.endpoint_id IS NOT NULL AS is_failing,
        CASE WHEN h.paused_until > now() THEN 0 WHEN h.paused_until IS NOT NULL THEN 1 END AS most_at_once,
        e.rate_limit_per_second AS rate, coalesce(w.paid_until > now(), false) AS is_spent
    FROM locked w
    JOIN webhook_endpoints e ON e.workspace_id = w.workspace_id AND e.id = w.endpoint_id
    JOIN workspaces s ON s.id = w.workspace_id
    LEFT JOIN endpoint_health h ON h.workspace_id = w.workspace_id AND h.endpoint_id = w.endpoint_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(k.id ORDER BY k.id DESC), '{}') AS ids,
            coalesce(array_agg(k.ciphertext ORDER BY k.id DESC), '{}') AS ciphertexts
        FROM endpoint_secrets k
        WHERE k.workspace_id = w.workspace_id AND k.endpoint_id = w.endpoint_id
            AND (k.expires_at IS NULL OR k.expires_at > now())
    ) AS secret
    ORDER BY w.due_at
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
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) AS w (workspace_id, endpoint_id, cap, share)
        CROSS JOIN LATERAL (
            SELECT count(*) AS leased FROM deliveries d
            WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id
                AND d.claim_id IS NOT NULL AND d.due_at > now()
        ) AS flight
        CROSS JOIN LATERAL (
            SELECT d.workspace_id, d.id FROM deliveries d
            WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id AND d.due_at <= now()
            ORDER BY d.due_at LIMIT greatest(least(w.share, w.cap - flight.leased), 0)
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

# An endpoint at its cap is looked at again when a lease runs out, unless settling one frees a place sooner; a paused
# one when the pause is over, one with a rate limit when what it took is paid for. None is noted for earlier than now:
# whoever was served goes to the end of the queue, however old its backlog is.
_NOTE_NEXT_DUE = """
    WITH next AS (
        SELECT w.workspace_id, w.endpoint_id, paid.until AS paid_until, CASE
            WHEN first.due_at IS NOT NULL THEN greatest(
                CASE WHEN flight.leased >= w.cap THEN coalesce(flight.first_ends_at, now()) ELSE first.due_at END,
                h.paused_until, paid.until, now()
            )
            WHEN paid.until > now() THEN paid.until
        END AS due_at
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::float8[]) AS w (workspace_id, endpoint_id, cap, paid)
        JOIN endpoint_work q ON q.workspace_id = w.workspace_id AND q.endpoint_id = w.endpoint_id
        LEFT JOIN endpoint_health h ON h.workspace_id = w.workspace_id AND h.endpoint_id = w.endpoint_id
        CROSS JOIN LATERAL (SELECT greatest(q.paid_until, now()) + make_interval(secs => w.paid) AS until) AS paid
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
    UPDATE endpoint_work w SET due_at = next.due_at, paid_until = next.paid_until FROM next
    WHERE w.workspace_id = next.workspace_id AND w.endpoint_id = next.endpoint_id AND next.due_at IS NOT NULL
    RETURNING extract(epoch FROM next.due_at - now())::float8 AS due_in
"""
