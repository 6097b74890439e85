"""Pausing stops the asking, and loses nothing."""

from datetime import UTC, datetime
from typing import Any

from app.db.engine import Engine
from app.domain import ids
from app.domain.asking.touchpoint import NewTouchpoint
from app.operations.touchpoints import record_touchpoints
from tests.askings import an_asking
from tests.builders import a_recipient, rows
from tests.campaigns import create, move
from tests.conftest import Tenant

AFTER_DELIVERY = an_asking(trigger={"kind": "touchpoint", "name": "delivered", "delay_minutes": 60})


async def planned_after_a_delivery(alice: Tenant, engine: Engine, *moves: str) -> list[dict[str, Any]]:
    campaign = await move(alice, await create(alice, asking=AFTER_DELIVERY), *moves)
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id, email="ada@example.com"))
    assert person is not None
    now = datetime.now(UTC)
    async with engine.write() as tx:
        await record_touchpoints(tx, alice.workspace_id, [NewTouchpoint(person, "delivered", now)], now=now)
    campaign_id = ids.parsed("campaign", campaign["id"])
    return await rows(engine, "SELECT state, due_at FROM invitations WHERE campaign_id = :id", id=campaign_id)


async def test_what_happens_while_a_campaign_is_paused_is_planned_all_the_same(alice: Tenant, engine: Engine) -> None:
    (planned,) = await planned_after_a_delivery(alice, engine, "launch", "pause")
    assert planned["state"] == "planned"
    assert planned["due_at"] is not None


async def test_what_happens_after_a_campaign_is_not_its_concern(alice: Tenant, engine: Engine) -> None:
    assert await planned_after_a_delivery(alice, engine, "launch", "complete") == []
