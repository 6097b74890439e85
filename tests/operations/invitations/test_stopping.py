"""A campaign that does harm stops by itself, and says why."""

from app.operations.invitations.end import pause_harmful_campaigns
from app.operations.invitations.settle import MailEnd
from tests.operations.invitations.office import DAY, Office


async def look(office: Office) -> None:
    async with office.engine.write() as tx:
        await pause_harmful_campaigns(tx, now=office.now)


async def test_bounces_pause_a_campaign_until_somebody_resumes_it(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(8)))
    campaign = await office.launched()
    await office.plan()
    office.now += DAY
    await office.settle(await office.claim(), MailEnd.FAILED, has_bounced=True)
    place = f"/v1/campaigns/{campaign['id']}"

    await look(office)

    paused = (await office.tenant.api.get(place)).json()
    assert (paused["state"], paused["paused_reason"]) == ("paused", "bounces")

    await office.engine_says("UPDATE sending_days SET sent_on = sent_on - 1")  # resumed the day after
    await office.tenant.api.post(f"{place}/resume")
    await look(office)

    resumed = (await office.tenant.api.get(place)).json()
    assert (resumed["state"], resumed["paused_reason"]) == ("running", None)


async def test_without_harm_nothing_is_paused(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(8)))
    campaign = await office.launched()
    await office.send()

    await look(office)

    assert (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}")).json()["state"] == "running"
