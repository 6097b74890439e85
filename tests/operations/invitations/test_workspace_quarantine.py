"""A shorter quarantine of the workspace is one for those who wait already, too."""

from typing import Any

from tests.campaigns import move
from tests.operations.invitations.office import HOUR, Office


async def asked_elsewhere(office: Office, *names: str) -> None:
    await office.people(*names)
    await office.launched(quarantine_days=0)
    assert sorted(await office.send(within=HOUR)) == sorted(names)


async def set_quarantine(office: Office, days: int) -> None:
    reply = await office.tenant.api.patch("/v1/workspace", json={"quarantine_days": days})
    assert reply.status_code == 200, reply.text


async def waiting(office: Office, **asking: Any) -> dict[str, Any]:
    campaign = await office.launched(wave_days=120, **asking)
    assert await office.send(within=2 * HOUR) == []
    assert await office.states(campaign) == {"planned": 2}
    return campaign


async def test_whoever_waits_for_its_end_waits_no_longer(office: Office) -> None:
    await asked_elsewhere(office, "ada", "bob")
    campaign = await waiting(office)

    await set_quarantine(office, 0)

    assert sorted(await office.send(within=2 * HOUR)) == ["ada", "bob"]
    assert await office.states(campaign) == {"sent": 2}


async def test_whom_it_had_skipped_is_asked_after_all(office: Office) -> None:
    await asked_elsewhere(office, "ada")
    campaign = await office.launched(wave_days=14)
    assert await office.send(within=2 * HOUR) == []
    assert await office.states(campaign) == {"quarantine": 1}

    await set_quarantine(office, 1)

    assert await office.send(within=24 * HOUR) == ["ada"]


async def test_a_campaign_that_rests_asks_when_it_goes_on(office: Office) -> None:
    await asked_elsewhere(office, "ada", "bob")
    campaign = await waiting(office)
    await move(office.tenant, campaign, "pause")

    await set_quarantine(office, 0)
    assert await office.send(within=2 * HOUR) == []
    await move(office.tenant, campaign, "resume")

    assert sorted(await office.send(within=2 * HOUR)) == ["ada", "bob"]


async def test_a_campaign_with_a_quarantine_of_its_own_keeps_it(office: Office) -> None:
    await asked_elsewhere(office, "ada", "bob")
    await waiting(office, quarantine_days=60)
    before = await office.dues()

    await set_quarantine(office, 0)

    assert await office.send(within=2 * HOUR) == []
    assert await office.dues() == before


async def test_a_longer_one_plans_nothing_anew(office: Office) -> None:
    await asked_elsewhere(office, "ada", "bob")
    await waiting(office)
    before = await office.dues()

    await set_quarantine(office, 100)
    await office.plan()

    assert await office.dues() == before
