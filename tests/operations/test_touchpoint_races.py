"""An order and its return, heard of at the same instant by two processes."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.db.engine import Engine, Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.domain import ids
from app.domain.asking.touchpoint import NewTouchpoint
from app.domain.errors import Overloaded
from app.operations.touchpoints import record_touchpoints
from tests.askings import an_asking
from tests.builders import a_recipient, rows
from tests.campaigns import create, move
from tests.conftest import Tenant
from tests.races import begun
from tests.workers.scene import until

AFTER_DELIVERY = an_asking(
    trigger={"kind": "touchpoint", "name": "delivered", "delay_minutes": 60, "cancelled_by": ["returned"]}
)


async def happens(tx: Tx, alice: Tenant, person: UUID, name: str, now: datetime) -> None:
    await record_touchpoints(tx, alice.workspace_id, [NewTouchpoint(person, name, now, "A-1")], now=now)


async def waits_or_is_done(engine: Engine, process: int, task: asyncio.Task[None]) -> bool:
    waits = await rows(engine, "SELECT pid FROM pg_locks WHERE pid = :process AND NOT granted", process=process)
    return bool(waits) or task.done()


@pytest.mark.parametrize(("first", "second"), [("delivered", "returned"), ("returned", "delivered")])
async def test_what_is_heard_of_at_once_calls_off_all_the_same(
    alice: Tenant, engine: Engine, first: str, second: str
) -> None:
    campaign = await move(alice, await create(alice, asking=AFTER_DELIVERY), "launch")
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id, email="ada@example.com"))
    assert person is not None
    now = datetime.now(UTC)

    async with engine.write() as other:
        (process,) = await fetch(other, "SELECT pg_backend_pid() AS id")
        async with engine.write() as tx:
            await happens(tx, alice, person, first, now)
            behind = asyncio.create_task(happens(other, alice, person, second, now))
            await until(lambda: waits_or_is_done(engine, process["id"], behind))
        await behind

    found = await rows(
        engine,
        "SELECT state, skip_reason FROM invitations WHERE campaign_id = :id",
        id=ids.parsed("campaign", campaign["id"]),
    )
    assert [(one["state"], one["skip_reason"]) for one in found] == [("skipped", "cancelled")]


async def test_what_it_repeats_is_erased_at_that_moment(alice: Tenant, engine: Engine) -> None:
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id, email="eve@example.com"))
    assert person is not None
    now = datetime.now(UTC)
    repeated, new = (NewTouchpoint(person, "delivered", now, name) for name in ("E-1", "E-2"))
    space = alice.workspace_id
    async with engine.write() as tx:
        await record_touchpoints(tx, space, [repeated], now=now)
    async with engine.write() as other:  # holds the second row up, so that the first is gone when it is looked for
        keep = "INSERT INTO touchpoints (workspace_id, id, name, external_id, recipient_id, occurred_at, created_at)"
        await fetch(other, f"{keep} VALUES ($1, $2, 'delivered', 'E-2', $3, $4, $4)", space, new_id(now), person, now)
        behind = await begun(engine, lambda tx: record_touchpoints(tx, space, [repeated, new], now=now))
        async with engine.write() as tx:
            await fetch(tx, "DELETE FROM touchpoints WHERE external_id = 'E-1'")
    with pytest.raises(Overloaded):
        await behind
