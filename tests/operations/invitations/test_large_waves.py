"""A wave of very many is written down bit by bit, and comes to the same."""

import pytest

from app.operations.invitations import plan_wave
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
