"""Writing down how attempts ended, many at a time, each only while its claim still holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.db.statements import Connection, fetch
from app.domain.webhooks.attempts import Failure, Outcome
from app.domain.webhooks.breaker import tells_of_health
from app.domain.webhooks.delivery import DeliveryState
from app.operations.deliveries.claim import ClaimedDelivery
from app.operations.deliveries.health import Finding, note_health
from app.operations.responses.bodies import id_sql

REPLY_HEAD_BYTES = 2_000  # enough to see an error message


@dataclass(frozen=True, slots=True)
class Attempt:
    started_at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Settlement:
    """Without an attempt, the delivery was given back unsent and its timetable stands where it stood."""

    delivery: ClaimedDelivery
    state: DeliveryState
    wait: timedelta | None = None  # until the next attempt, while pending
    attempt: Attempt | None = None

    @property
    def failure(self) -> Failure | None:
        return self.attempt.outcome.failure if self.attempt else None


async def settle_deliveries(connection: Connection, settlements: Sequence[Settlement]) -> None:
    """Safe to repeat, for instance when the connection broke before we heard that it was done.

    A transaction for each statement: places freed by the first must be visible to the last, else a worker that
    counted them as taken and one that found nothing due could miss each other.
    """
    has_exhausted = any(settled.state is DeliveryState.EXHAUSTED for settled in settlements)
    await fetch(connection, _SETTLE_AND_ANNOUNCE if has_exhausted else _SETTLE, *_columns(settlements))
    await note_health(connection, _findings(settlements))
    endpoints = {settled.delivery.endpoint.id: settled.delivery.endpoint.workspace_id for settled in settlements}
    await wake_endpoints(connection, endpoints)


async def wake_endpoints(connection: Connection, endpoints: dict[UUID, UUID]) -> None:
    """Makes sure that each of them (id to workspace) is looked at when its next delivery is due."""
    await fetch(connection, _WAKE, list(endpoints.values()), list(endpoints))


def _findings(settlements: Sequence[Settlement]) -> list[Finding]:
    """Of endpoints that fail, or that did when the delivery was claimed. The others would have nothing to note."""
    attempts: dict[UUID, list[Settlement]] = {}
    for settled in settlements:
        if settled.attempt is not None and tells_of_health(settled.attempt.outcome):
            attempts.setdefault(settled.delivery.endpoint.id, []).append(settled)
    return [
        _finding(made)
        for made in attempts.values()
        if any(one.failure is not None or one.delivery.endpoint.is_failing for one in made)
    ]


def _finding(made: Sequence[Settlement]) -> Finding:
    endpoint = made[0].delivery.endpoint
    failures = [one.failure for one in made if one.failure is not None]
    if len(failures) < len(made):
        return Finding(endpoint.workspace_id, endpoint.id, 0, None)
    return Finding(endpoint.workspace_id, endpoint.id, len(failures), failures[-1])


def _columns(settlements: Sequence[Settlement]) -> list[list[object]]:
    return [list(column) for column in zip(*map(_row, settlements), strict=True)]


def _row(settled: Settlement) -> tuple[object, ...]:
    delivery, attempt = settled.delivery, settled.attempt
    return (
        delivery.endpoint.workspace_id,
        delivery.id,
        delivery.claim_id,
        settled.state.value,
        settled.wait,
        delivery.endpoint.id,
        *(_attempt(attempt, number=delivery.attempts + 1) if attempt else NO_ATTEMPT),
    )


def _attempt(attempt: Attempt, *, number: int) -> tuple[object, ...]:
    outcome = attempt.outcome
    failure = outcome.failure.value if outcome.failure else None
    head = outcome.head[:REPLY_HEAD_BYTES]
    return number, attempt.started_at, outcome.duration_ms, outcome.status, failure, head, outcome.request_head


NO_ATTEMPT = (None,) * 7

_SETTLING = """
    WITH settled AS MATERIALIZED (
        SELECT * FROM unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::interval[], $6::uuid[],
            $7::int[], $8::timestamptz[], $9::int[], $10::int[], $11::text[], $12::bytea[], $13::text[]
        ) AS s (
            workspace_id, id, claim_id, state, wait, endpoint_id,
            number, started_at, duration_ms, status, failure, reply_head, request_head
        )
    ), noted AS (
        INSERT INTO delivery_attempts (workspace_id, delivery_id, number, started_at, endpoint_id, duration_ms, status,
            failure, reply_head, request_head)
        SELECT workspace_id, id, number, started_at, endpoint_id, duration_ms, status,
            failure, reply_head, request_head
        FROM settled WHERE number IS NOT NULL
        ON CONFLICT DO NOTHING
    ), finished AS (
        DELETE FROM deliveries d USING settled s
        WHERE d.workspace_id = s.workspace_id AND d.id = s.id AND d.claim_id = s.claim_id AND s.state <> 'pending'
        RETURNING d.workspace_id, d.id, d.event_id, d.endpoint_id, s.state, s.number, d.body, s.status, s.failure,
            d.created_at
    ), logged AS (
        INSERT INTO delivery_log (workspace_id, id, finished_at, event_id, endpoint_id, state, attempts, body,
            last_status, last_failure, created_at)
        SELECT workspace_id, id, now(), event_id, endpoint_id, state, number, body, status, failure, created_at
        FROM finished
    ){announcing}
    UPDATE deliveries d SET
        claim_id = NULL,
        due_at = now() + s.wait,
        attempts = coalesce(s.number, d.attempts),
        step = CASE WHEN s.number IS NULL THEN d.step ELSE d.step + 1 END,
        last_status = CASE WHEN s.number IS NULL THEN d.last_status ELSE s.status END,
        last_failure = CASE WHEN s.number IS NULL THEN d.last_failure ELSE s.failure END
    FROM settled s
    WHERE d.workspace_id = s.workspace_id AND d.id = s.id AND d.claim_id = s.claim_id AND s.state = 'pending'
"""

# Whoever listens hears of what was given up, except of what itself was to tell of a delivery or an endpoint: two dead
# endpoints would tell each other for ever.
_ANNOUNCING = f""", given_up AS MATERIALIZED (
        SELECT f.*, e.type, w.description, uuid_v7(now()) AS announced_id
        FROM finished f
        JOIN events e ON e.workspace_id = f.workspace_id AND e.id = f.event_id
        JOIN webhook_endpoints w ON w.workspace_id = f.workspace_id AND w.id = f.endpoint_id
        WHERE f.state = 'exhausted' AND e.type NOT LIKE 'endpoint.%' AND e.type NOT LIKE 'delivery.%'
    ), announced AS (
        INSERT INTO events (workspace_id, id, type, occurred_at, body)
        SELECT workspace_id, announced_id, 'delivery.exhausted', now(), json_build_object(
            'delivery', json_build_object(
                'id', {id_sql("delivery", "id")}, 'event_id', {id_sql("event", "event_id")}, 'event_type', type,
                'attempt_count', number, 'last_status', status, 'last_failure', failure
            ),
            'endpoint', json_build_object('id', {id_sql("endpoint", "endpoint_id")}, 'description', description)
        )
        FROM given_up
    ), queued AS (
        INSERT INTO event_queue (workspace_id, event_id) SELECT workspace_id, announced_id FROM given_up
    )"""
_SETTLE = _SETTLING.format(announcing="")
_SETTLE_AND_ANNOUNCE = _SETTLING.format(announcing=_ANNOUNCING)

_WAKE = """
    INSERT INTO endpoint_work (workspace_id, endpoint_id, due_at)
    SELECT w.workspace_id, w.endpoint_id, greatest(first.due_at, now())
    FROM unnest($1::uuid[], $2::uuid[]) AS w (workspace_id, endpoint_id)
    CROSS JOIN LATERAL (
        SELECT d.due_at FROM deliveries d
        WHERE d.workspace_id = w.workspace_id AND d.endpoint_id = w.endpoint_id
        ORDER BY d.due_at LIMIT 1
    ) AS first
    ORDER BY w.workspace_id, w.endpoint_id
    ON CONFLICT (workspace_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at
    WHERE endpoint_work.due_at > excluded.due_at
"""
