"""An open wave takes in who comes to fit, and a plan promises nobody whom nobody will ask."""

from typing import Any

import pytest

from tests.askings import an_asking
from tests.campaigns import patch
from tests.operations.invitations.office import DAY, HOUR, Office

YEARLY = {"kind": "every", "count": 12, "unit": "months"}
EVENLY = {**YEARLY, "spread": "evenly"}
NEVER_ASKED = {"audience": {"field": "last_asked_at", "exists": False}}
PRO = {"audience": {"field": "properties.plan", "eq": "pro"}}


async def plan_of(office: Office, campaign: dict[str, Any], **body: Any) -> dict[str, Any]:
    reply = await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/plan", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["after"])


async def why(office: Office, campaign: dict[str, Any], person: str) -> tuple[str, str | None]:
    reply = await office.tenant.api.get(f"/v1/recipients/{person}/eligibility", params={"campaign_id": campaign["id"]})
    return reply.json()["decision"], reply.json()["reason"]


async def look_again(office: Office) -> None:
    office.now += HOUR
    await office.plan()


async def make_all_due(office: Office) -> None:
    for table in ("invitations", "sending_work"):
        await office.engine_says(f"UPDATE {table} SET due_at = now()")


async def test_whoever_comes_after_the_period_began_has_their_moment_in_it(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger=EVENLY)
    await office.plan()
    (bob,) = await office.people("bob")
    assert (await plan_of(office, campaign))["due"] == 2
    assert await why(office, campaign, bob) == ("send", None)

    await look_again(office)

    assert await office.states(campaign) == {"planned": 2}
    assert (await plan_of(office, campaign))["due"] == 2
    (wave,) = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/waves")).json()["data"]
    assert (wave["audience_count"], wave["selected_count"]) == (2, 2)


async def test_looking_again_and_again_takes_in_no_more_than_the_sample(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(10)))
    campaign = await office.launched(trigger=EVENLY, sample={"percent": 50}, **NEVER_ASKED)
    await office.plan()
    await make_all_due(office)
    assert len(await office.send(within=3 * HOUR)) == 5
    assert await office.states(campaign) == {"sent": 5}

    await office.people(*(f"q{at}" for at in range(10)))
    assert (await plan_of(office, campaign))["left_out"] == 10
    await look_again(office)
    await look_again(office)

    assert await office.states(campaign) == {"sent": 5, "planned": 5}


async def test_colleagues_of_who_was_asked_do_not_follow(office: Office) -> None:
    account = {"account": {"external_id": "acme"}}
    await office.people("ada", **account)
    campaign = await office.launched(trigger=EVENLY, most_per_account=1)
    await office.plan()
    await make_all_due(office)
    assert await office.send(within=HOUR) == ["ada"]
    await office.people("bob", "cam", **account)

    await look_again(office)

    assert await office.states(campaign) == {"sent": 1}


@pytest.mark.parametrize("trigger", [{"kind": "once"}, YEARLY])
async def test_an_edit_lets_an_open_wave_take_in_who_fits_now(office: Office, trigger: dict[str, Any]) -> None:
    await office.people("ada", properties={"plan": "pro"})
    await office.people("bob", "cam", properties={"plan": "free"})
    campaign = await office.launched(trigger=trigger, quarantine_days=0, **PRO)
    assert await office.send() == ["ada"]
    everybody = an_asking(trigger=trigger, quarantine_days=0)
    assert (await plan_of(office, campaign))["due"] == 0
    assert (await plan_of(office, campaign, asking=everybody))["due"] == 2

    edited = (await patch(office.tenant, campaign, asking=everybody)).json()

    assert (edited["plan"]["before"]["due"], edited["plan"]["after"]["due"]) == (0, 2)
    assert sorted(await office.send()) == ["bob", "cam"]
    assert (await plan_of(office, campaign))["due"] == 0


async def test_without_an_edit_a_wave_is_for_who_was_there_when_it_began(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(quarantine_days=0)
    assert await office.send() == ["ada"]
    (bob,) = await office.people("bob")

    assert (await plan_of(office, campaign))["due"] == 0
    assert await why(office, campaign, bob) == ("skip", "not_in_wave")
    assert await office.send() == []


async def test_nobody_is_planned_for_a_wave_that_is_over(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(quarantine_days=0)
    await office.send()
    office.now += 20 * DAY
    await office.engine_says("UPDATE waves SET starts_at = now() - interval '9 days', ends_at = now()")
    await office.tend()

    assert (await plan_of(office, campaign, asking=an_asking(quarantine_days=0)))["due"] == 0


async def test_who_fits_again_within_an_even_wave_is_asked_in_it(office: Office) -> None:
    (ada,) = await office.people("ada", properties={"plan": "pro"})
    campaign = await office.launched(trigger=EVENLY, **PRO)
    await office.plan()
    await office.tenant.api.patch(f"/v1/recipients/{ada}", json={"properties": {"plan": "free"}})
    await make_all_due(office)
    office.now += HOUR
    assert await office.claim() == []
    assert await office.states(campaign) == {"not_in_audience": 1}
    await office.tenant.api.patch(f"/v1/recipients/{ada}", json={"properties": {"plan": "pro"}})

    await look_again(office)

    assert await office.states(campaign) == {"planned": 1}
