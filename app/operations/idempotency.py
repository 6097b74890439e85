"""Idempotency-Key: what a key has led to is stored in the same transaction as what it led to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, text
from sqlalchemy.dialects.postgresql import insert

from app.db.engine import Tx
from app.db.statements import some_of
from app.db.tables import idempotency_keys
from app.domain.errors import Conflict
from app.domain.response import IDEMPOTENCY_KEPT_FOR, IdempotencyKeyReused


class IdempotencyKeyInUse(Conflict):
    """The first call with this Idempotency-Key is still running."""

    code = "idempotency_key_in_use"


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    workspace_id: UUID
    key_digest: UUID  # of API key, route and Idempotency-Key
    request_digest: UUID  # of what was sent with it


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    ids: tuple[UUID, ...]


async def begin_once(tx: Tx, request: KeyedRequest, *, now: datetime) -> Outcome | None:
    """What an earlier call has led to; None the first time. The key is ours until the transaction ends.

    Raises IdempotencyKeyInUse, IdempotencyKeyReused.
    """
    await _take_lock(tx, request.key_digest)
    # Only a statement after the lock is certain to see what its last holder committed.
    earlier = (await tx.execute(_earlier([request], now=now))).one_or_none()
    if earlier is None:
        return None
    if earlier.request_digest != request.request_digest:
        raise _reused()
    return Outcome(earlier.status, tuple(earlier.ids))


async def begin_each_once(
    tx: Tx, key_digest: UUID, rows: Sequence[KeyedRequest], *, now: datetime
) -> list[Outcome | IdempotencyKeyReused | None]:
    """As `begin_once`, of each row of a bulk, which has a key of its own; `key_digest` is that of all of them.

    Raises IdempotencyKeyInUse.
    """
    await _take_lock(tx, key_digest)
    earlier = {found.key_digest: found for found in await tx.execute(_earlier(rows, now=now))}
    return [_outcome_of(row, earlier.get(row.key_digest)) for row in rows]


def _outcome_of(row: KeyedRequest, earlier: Row[Any] | None) -> Outcome | IdempotencyKeyReused | None:
    if earlier is None:
        return None
    return Outcome(earlier.status, tuple(earlier.ids)) if earlier.request_digest == row.request_digest else _reused()


def _reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused("This Idempotency-Key was sent with another request within the last 24 hours.")


async def remember_outcome(tx: Tx, request: KeyedRequest, *, status: int, ids: Sequence[UUID], now: datetime) -> None:
    await remember_outcomes(tx, [(request, Outcome(status, tuple(ids)))], now=now)


async def remember_outcomes(tx: Tx, ended: Collection[tuple[KeyedRequest, Outcome]], *, now: datetime) -> None:
    if not ended:
        return
    remember = insert(idempotency_keys).values(
        [
            {
                "workspace_id": request.workspace_id, "key_digest": request.key_digest, "created_at": now,
                "request_digest": request.request_digest, "status": outcome.status, "ids": list(outcome.ids),
            }
            for request, outcome in ended
        ]
    )  # fmt: skip
    # There is a row already where a key comes back after its 24 hours, before the old row was swept up.
    place, said = ["workspace_id", "key_digest"], ("request_digest", "status", "ids", "created_at")
    anew = {name: remember.excluded[name] for name in said}
    await tx.execute(remember.on_conflict_do_update(index_elements=place, set_=anew))


async def forget_old_keys(tx: Tx, *, now: datetime, limit: int = 5_000) -> int:
    """One batch; returns how many, so that a caller goes on until it is fewer than `limit`."""
    return (await tx.execute(_FORGET, {"before": now - IDEMPOTENCY_KEPT_FOR, "limit": limit})).rowcount


async def _take_lock(tx: Tx, key_digest: UUID) -> None:
    number = int.from_bytes(key_digest.bytes[:8], signed=True)
    if not (await tx.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number})).scalar_one():
        raise IdempotencyKeyInUse("Wait for the reply to the first call, or send this one again in a moment.")


def _earlier(requests: Sequence[KeyedRequest], *, now: datetime) -> Select[tuple[UUID, UUID, int, list[UUID]]]:
    """Of one workspace."""
    table = idempotency_keys.c
    return select(table.key_digest, table.request_digest, table.status, table.ids).where(
        table.workspace_id == requests[0].workspace_id,
        table.key_digest.in_([request.key_digest for request in requests]),
        table.created_at > now - IDEMPOTENCY_KEPT_FOR,
    )


_OLD = some_of("idempotency_keys", "created_at <= :before", limit=":limit")
_FORGET = text(f"DELETE FROM idempotency_keys WHERE {_OLD}")
