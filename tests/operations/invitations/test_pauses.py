"""Nothing of a wave is lost to a pause, however long it is."""

from datetime import datetime
from typing import Any

from app.domain import ids
from app.domain.campaign import CampaignMove
from app.operations.campaigns import move_campaign
from tests.askings import an_asking
from tests.campaigns import patch, read
from tests.operations.invitations.office import DAY, HOUR, Office

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


async def move(office: Office, campaign: dict[str, Any], move: CampaignMove) -> None:
    campaign_id = ids.parsed("campaign", campaign["id"])
    assert campaign_id is not None
    async with office.engine.write() as tx:
        await move_campaign(tx, office.tenant.workspace_id, campaign_id, move, now=office.now)


async def paused_for(office: Office, campaign: dict[str, Any], days: int) -> None:
    """With all chores of each day."""
    await move(office, campaign, CampaignMove.PAUSE)
    for _ in range(days):
        office.now += DAY
        await office.plan()
        assert await office.claim() == []
        await office.tend()


async def test_whom_a_wave_had_still_to_ask_is_asked_after_a_long_pause(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()

    await paused_for(office, campaign, 20)
    assert await office.states(campaign) == {"planned": 1}
    await move(office, campaign, CampaignMove.RESUME)

    assert await office.send() == ["ada"]


async def test_the_end_of_a_wave_moves_by_as_long_as_the_pause_was(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(wave_days=3)
    await office.plan()
    ends_at = await end_of_wave(office, campaign)

    await paused_for(office, campaign, 5)
    await move(office, campaign, CampaignMove.RESUME)
    await office.plan()

    assert await end_of_wave(office, campaign) == ends_at + 5 * DAY
    (planned,) = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/invitations")).json()["data"]
    assert datetime.fromisoformat(planned["latest_at"]) == ends_at + 5 * DAY
    office.now += 4 * DAY
    await office.tend()
    assert await office.states(campaign) == {"too_late": 1}


async def end_of_wave(office: Office, campaign: dict[str, Any]) -> datetime:
    (wave,) = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/waves")).json()["data"]
    return datetime.fromisoformat(wave["ends_at"])


async def test_an_edit_during_a_long_pause_loses_nobody(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    await paused_for(office, campaign, 20)

    await patch(office.tenant, campaign, asking=an_asking(quarantine_days=0))
    await office.plan()
    assert await office.states(campaign) == {"planned": 1}

    await move(office, campaign, CampaignMove.RESUME)
    assert await office.send() == ["ada"]


async def test_a_plan_during_a_long_pause_says_who_is_still_to_be_asked(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    await move(office, campaign, CampaignMove.PAUSE)
    await office.engine_says(
        "UPDATE waves SET paused_at = now() - interval '20 days', starts_at = now() - interval '21 days',"
        " ends_at = now() - interval '7 days'"
    )

    reply = await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/plan", json={})

    assert reply.json()["after"]["due"] == 1


async def test_a_pause_into_the_next_wave_leaves_people_to_that(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger=WEEKLY, quarantine_days=0)
    await office.plan()

    await paused_for(office, campaign, 9)
    await move(office, campaign, CampaignMove.RESUME)

    assert await office.send(within=4 * DAY) == ["ada"]
    await office.tend()
    assert await office.states(campaign) == {"too_late": 1, "sent": 1}


async def test_what_is_completed_while_paused_closes_its_wave(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    await paused_for(office, campaign, 2)

    await move(office, campaign, CampaignMove.COMPLETE)
    await office.plan()
    office.now += 20 * DAY
    await office.tend()

    assert await office.states(campaign) == {"released": 1}
    (wave,) = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/waves")).json()["data"]
    assert wave["state"] == "closed"
    assert (await read(office.tenant, campaign))["state"] == "completed"
    assert await office.send(within=HOUR) == []
