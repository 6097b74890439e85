"""A wave of very many is written down bit by bit, and comes to the same."""

import pytest

from app.db import engine as database
from app.db.engine import Engine
from app.db.statements import fetch
from app.operations.invitations import plan_wave
from tests.askings import an_asking
from tests.campaigns import create, move, patch, read
from tests.conftest import a_tenant, running_app
from tests.operations.invitations.office import Office


async def test_a_wave_that_takes_several_transactions_asks_everybody_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_wave, "TAKEN_AT_ONCE", 4)
    monkeypatch.setattr(plan_wave, "IN_ONE_STATEMENT", 3)
    await office.people(*(f"p{at}" for at in range(10)))
    campaign = await office.launched()

    await office.plan()

    assert await office.states(campaign) == {"planned": 10}
    waves = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/waves")).json()["data"]
    assert [(wave["state"], wave["selected_count"]) for wave in waves] == [("open", 10)]


async def test_a_sample_taken_bit_by_bit_grows_no_larger(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_wave, "TAKEN_AT_ONCE", 2)
    await office.people(*(f"p{at}" for at in range(10)))
    campaign = await office.launched(sample={"percent": 50})

    await office.plan()

    assert await office.states(campaign) == {"planned": 5}


async def test_an_edit_while_a_wave_is_written_down_is_told_when_to_come_back(
    own_database_url: str, own_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.SESSION_SETTINGS, "lock_timeout", "50ms")
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        campaign = await move(alice, await create(alice, asking=an_asking()), "launch")
        async with own_engine.write() as tx:
            await fetch(tx, "SELECT FROM campaigns FOR NO KEY UPDATE")  # as the planner does
            refused = await patch(alice, campaign, asking=an_asking(priority=9))

        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await read(alice, campaign))["asking"]["priority"] == 0
        assert (await patch(alice, campaign, asking=an_asking(priority=9))).status_code == 200
