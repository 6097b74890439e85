from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.db.engine import Engine
from app.domain.keys import KeyKind
from app.domain.session import ENDS_AFTER, IDLE_AFTER
from app.operations.api_keys import IssuedKey, issue_key, revoke_key
from app.operations.sessions import close_session, forget_old_sessions, note_visit, open_session
from app.queries.api_keys import Caller
from app.queries.sessions import Visitor, find_visitor
from tests.builders import rows
from tests.conftest import Tenant

MOMENT = timedelta(seconds=1)


async def a_key(engine: Engine, tenant: Tenant, now: datetime, **fields: Any) -> IssuedKey:
    async with engine.write() as tx:
        return await issue_key(
            tx, tenant.workspace_id, mode="live", kind=KeyKind.SECRET, name="Lena", now=now, **fields
        )


async def log_in(engine: Engine, tenant: Tenant, key_id: UUID, now: datetime) -> str:
    caller = Caller(tenant.workspace_id, "live", key_id, "secret", frozenset({"*"}), (), None)
    async with engine.write() as tx:
        return await open_session(tx, caller, now=now)


async def visitor(engine: Engine, token: str, now: datetime) -> Visitor | None:
    async with engine.read() as tx:
        return await find_visitor(tx, token, now=now)


async def test_a_session_tells_who_is_there(engine: Engine, alice: Tenant, now: datetime) -> None:
    key = await a_key(engine, alice, now, scopes=("webhooks:read",))
    found = await visitor(engine, await log_in(engine, alice, key.id, now), now)
    assert found is not None
    assert (found.caller.workspace_id, found.caller.key_id) == (alice.workspace_id, key.id)
    assert (found.workspace_name, found.key_name, found.key_hint) == ("Alice", "Lena", key.token[-4:])
    assert found.caller.may("webhooks:read")
    assert not found.caller.may("webhooks:write")


async def test_only_a_hash_of_the_token_is_stored(engine: Engine, alice: Tenant, now: datetime) -> None:
    token = await log_in(engine, alice, (await a_key(engine, alice, now)).id, now)
    stored = await rows(engine, "SELECT * FROM dashboard_sessions WHERE workspace_id = :id", id=alice.workspace_id)
    assert len(stored) == 1
    assert token not in str(stored) + str(stored[0]["token_hash"].hex())


@pytest.mark.parametrize("token", ["", "unknown", "' OR true --"])
async def test_an_unknown_token_is_nobody(engine: Engine, alice: Tenant, now: datetime, token: str) -> None:
    await log_in(engine, alice, (await a_key(engine, alice, now)).id, now)
    assert await visitor(engine, token, now) is None


async def test_a_session_ends_when_nobody_comes(engine: Engine, alice: Tenant, now: datetime) -> None:
    token = await log_in(engine, alice, (await a_key(engine, alice, now)).id, now)
    assert await visitor(engine, token, now + IDLE_AFTER - MOMENT) is not None
    assert await visitor(engine, token, now + IDLE_AFTER) is None


async def test_a_visit_keeps_it_open_but_not_for_ever(engine: Engine, alice: Tenant, now: datetime) -> None:
    token, later = await log_in(engine, alice, (await a_key(engine, alice, now)).id, now), now
    while later + IDLE_AFTER - MOMENT < now + ENDS_AFTER:
        later += IDLE_AFTER - MOMENT
        found = await visitor(engine, token, later)
        assert found is not None
        async with engine.write() as tx:
            await note_visit(tx, found, now=later)
    assert await visitor(engine, token, now + ENDS_AFTER) is None


async def test_visits_within_a_minute_are_not_written(engine: Engine, alice: Tenant, now: datetime) -> None:
    token = await log_in(engine, alice, (await a_key(engine, alice, now)).id, now)
    found = await visitor(engine, token, now)
    assert found is not None
    async with engine.write() as tx:
        await note_visit(tx, found, now=now + timedelta(seconds=59))
    again = await visitor(engine, token, now)
    assert again == found


async def test_a_session_ends_with_its_key(engine: Engine, alice: Tenant, now: datetime) -> None:
    revoked = await a_key(engine, alice, now)
    expiring = await a_key(engine, alice, now, expires_at=now + timedelta(minutes=1))
    tokens = [await log_in(engine, alice, key.id, now) for key in (revoked, expiring)]
    assert [await visitor(engine, token, now) is not None for token in tokens] == [True, True]
    async with engine.write() as tx:
        await revoke_key(tx, alice.workspace_id, revoked.id, now=now)
    assert await visitor(engine, tokens[0], now) is None
    assert await visitor(engine, tokens[1], now + timedelta(minutes=1)) is None


async def test_whoever_logs_out_is_out(engine: Engine, alice: Tenant, now: datetime) -> None:
    key = await a_key(engine, alice, now)
    here, elsewhere = [await log_in(engine, alice, key.id, now) for _ in range(2)]
    async with engine.write() as tx:
        await close_session(tx, here)
    assert await visitor(engine, here, now) is None
    assert await visitor(engine, elsewhere, now) is not None


async def test_sessions_that_have_ended_are_forgotten(engine: Engine, alice: Tenant, now: datetime) -> None:
    key = await a_key(engine, alice, now)
    long_ago = now - ENDS_AFTER
    await log_in(engine, alice, key.id, long_ago)
    await log_in(engine, alice, key.id, long_ago + MOMENT)
    async with engine.write() as tx:
        assert await forget_old_sessions(tx, now=now) >= 1
    left = "SELECT created_at FROM dashboard_sessions WHERE workspace_id = :id"
    assert await rows(engine, left, id=alice.workspace_id) == [{"created_at": long_ago + MOMENT}]
