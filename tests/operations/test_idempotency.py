from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.db.engine import Engine
from app.db.tables import idempotency_keys
from app.domain.response import IdempotencyKeyReused
from app.operations.idempotency import (
    IdempotencyKeyInUse,
    KeyedRequest,
    Outcome,
    begin_once,
    forget_old_keys,
    remember_outcome,
)


def a_request(**changes: UUID) -> KeyedRequest:
    return KeyedRequest(**{"workspace_id": uuid4(), "key_digest": uuid4(), "request_digest": uuid4(), **changes})


async def remember(engine: Engine, request: KeyedRequest, *, ids: list[UUID], now: datetime) -> None:
    async with engine.write() as tx:
        assert await begin_once(tx, request, now=now) is None
        await remember_outcome(tx, request, status=201, ids=ids, now=now)


async def test_the_outcome_is_remembered_for_a_day(engine: Engine, now: datetime) -> None:
    request, made, made_anew = a_request(), uuid4(), uuid4()
    await remember(engine, request, ids=[made], now=now)
    async with engine.write() as tx:
        almost = now + timedelta(hours=24, seconds=-1)
        assert await begin_once(tx, request, now=almost) == Outcome(201, (made,))
    await remember(engine, request, ids=[made_anew], now=now + timedelta(hours=24))
    async with engine.write() as tx:
        assert await begin_once(tx, request, now=now + timedelta(hours=25)) == Outcome(201, (made_anew,))


async def test_what_was_rolled_back_is_not_remembered(engine: Engine, now: datetime) -> None:
    request = a_request()
    with suppress(ZeroDivisionError):
        async with engine.write() as tx:
            await begin_once(tx, request, now=now)
            await remember_outcome(tx, request, status=201, ids=[uuid4()], now=now)
            raise ZeroDivisionError
    async with engine.write() as tx:
        assert await begin_once(tx, request, now=now) is None


async def test_a_second_caller_is_told_that_the_first_is_still_at_it(engine: Engine, now: datetime) -> None:
    request = a_request()
    async with engine.write() as first, engine.write() as second:
        await begin_once(first, request, now=now)
        with pytest.raises(IdempotencyKeyInUse):
            await begin_once(second, request, now=now)
        assert await begin_once(second, a_request(), now=now) is None


async def test_the_key_with_another_request_is_refused(engine: Engine, now: datetime) -> None:
    request = a_request()
    await remember(engine, request, ids=[uuid4()], now=now)
    other = a_request(workspace_id=request.workspace_id, key_digest=request.key_digest)
    async with engine.write() as tx:
        with pytest.raises(IdempotencyKeyReused):
            await begin_once(tx, other, now=now)


async def test_old_keys_are_forgotten_in_batches(own_engine: Engine, now: datetime) -> None:
    for age in range(5):
        await remember(own_engine, a_request(), ids=[], now=now - timedelta(hours=24) * age)
    async with own_engine.write() as tx:
        assert await forget_old_keys(tx, now=now, limit=3) == 3
        assert await forget_old_keys(tx, now=now, limit=3) == 1
        assert await forget_old_keys(tx, now=now, limit=3) == 0
        assert (await tx.execute(select(func.count()).select_from(idempotency_keys))).scalar_one() == 1
