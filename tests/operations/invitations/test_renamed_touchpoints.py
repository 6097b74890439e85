"""A campaign asks after what its trigger names when the mail is due, whatever that named when it was planned."""

from typing import Any

from tests.askings import an_asking
from tests.campaigns import patch
from tests.operations.invitations.office import HOUR, Office


def after(name: str, **changes: Any) -> dict[str, Any]:
    return {"kind": "touchpoint", "name": name, **changes}


async def happened(office: Office, name: str) -> None:
    reply = await office.tenant.api.post("/v1/touchpoints", json={"name": name, "recipient": {"email": "a@b.example"}})
    assert reply.status_code == 201, reply.text


async def edited(office: Office, campaign: dict[str, Any], trigger: dict[str, Any]) -> None:
    reply = await patch(office.tenant, campaign, asking=an_asking(trigger=trigger, quarantine_days=0))
    assert reply.status_code == 200, reply.text


async def test_nobody_is_asked_about_what_has_not_happened_to_them(office: Office) -> None:
    campaign = await office.launched(trigger=after("bought", delay_minutes=60), quarantine_days=0)
    await happened(office, "bought")

    await edited(office, campaign, after("support_closed"))

    assert await office.send(within=2 * HOUR) == []
    assert await office.states(campaign) == {"trigger_changed": 1}
    await happened(office, "support_closed")
    assert await office.send(within=2 * HOUR) == ["a"]


async def test_the_old_name_brings_back_what_it_was_about(office: Office) -> None:
    campaign = await office.launched(trigger=after("bought", delay_minutes=60), quarantine_days=0)
    await happened(office, "bought")
    await edited(office, campaign, after("support_closed"))
    assert await office.send(within=2 * HOUR) == []

    await edited(office, campaign, after("bought"))

    assert await office.send(within=2 * HOUR) == ["a"]


async def test_what_cancels_by_an_edit_calls_off_what_is_planned(office: Office) -> None:
    bought = after("bought", delay_minutes=60)
    campaign = await office.launched(trigger=bought, quarantine_days=0)
    await happened(office, "bought")
    await happened(office, "returned")

    await edited(office, campaign, {**bought, "cancelled_by": ["returned"]})

    assert await office.send(within=2 * HOUR) == []
    assert await office.states(campaign) == {"cancelled": 1}
    await happened(office, "bought")
    assert await office.send(within=2 * HOUR) == ["a"]
