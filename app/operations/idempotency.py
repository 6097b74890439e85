"""Idempotency-Key: what a key has led to is stored in the same transaction as what it led to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, text
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
    await _take_lock(tx, request)
    # Only a statement after the lock is certain to see what its last holder committed.
    earlier = (await tx.execute(_earlier(request, now=now))).one_or_none()
    if earlier is None:
        return None
    if earlier.request_digest != request.request_digest:
        raise IdempotencyKeyReused("This Idempotency-Key was sent with another request within the last 24 hours.")
    return Outcome(earlier.status, tuple(earlier.ids))


async def remember_outcome(tx: Tx, request: KeyedRequest, *, status: int, ids: Sequence[UUID], now: datetime) -> None:
    outcome = {"request_digest": request.request_digest, "status": status, "ids": list(ids), "created_at": now}
    remember = insert(idempotency_keys).values(
        workspace_id=request.workspace_id, key_digest=request.key_digest, **outcome
    )  # fmt: skip
    # There is a row already where a key comes back after its 24 hours, before the old row was swept up.
    await tx.execute(remember.on_conflict_do_update(index_elements=["workspace_id", "key_digest"], set_=outcome))


async def forget_old_keys(tx: Tx, *, now: datetime, limit: int = 5_000) -> int:
    """One batch; returns how many, so that a caller goes on until it is fewer than `limit`."""
    return (await tx.execute(_FORGET, {"before": now - IDEMPOTENCY_KEPT_FOR, "limit": limit})).rowcount


async def _take_lock(tx: Tx, request: KeyedRequest) -> None:
    number = int.from_bytes(request.key_digest.bytes[:8], signed=True)
    if not (await tx.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number})).scalar_one():
        raise IdempotencyKeyInUse("Wait for the reply to the first call, or send this one again in a moment.")


def _earlier(request: KeyedRequest, *, now: datetime) -> Select[tuple[UUID, int, list[UUID]]]:
    table = idempotency_keys.c
    return select(table.request_digest, table.status, table.ids).where(
        table.workspace_id == request.workspace_id,
        table.key_digest == request.key_digest,
        table.created_at > now - IDEMPOTENCY_KEPT_FOR,
    )


_OLD = some_of("idempotency_keys", "created_at <= :before", limit=":limit")
_FORGET = text(f"DELETE FROM idempotency_keys WHERE {_OLD}")
