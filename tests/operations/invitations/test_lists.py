"""A campaign with a list asks only those on it, though nobody should be left there."""

from datetime import timedelta

import pytest

from tests.askings import an_asking
from tests.campaigns import create, move
from tests.operations.invitations.office import DAY, HOUR, Office
from tests.operations.invitations.test_coming_turns import decided, happened
from tests.operations.invitations.test_open_waves import plan_of

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


async def on_the_list(office: Office, campaign: dict[str, str], person: str) -> None:
    place = f"/v1/campaigns/{campaign['id']}/recipients"
    assert (await office.tenant.api.post(place, json={"recipient_ids": [person]})).status_code == 200


@pytest.mark.parametrize("leaves", ["/v1/campaigns/{campaign}/recipients/{person}", "/v1/recipients/{person}"])
async def test_when_the_last_has_left_the_list_nobody_is_asked(office: Office, leaves: str) -> None:
    """By hand, or erased."""
    ada, bob = await office.people("ada", "bob")
    campaign = await office.launched(trigger=WEEKLY, quarantine_days=0)
    orders = await office.launched(trigger={"kind": "touchpoint", "name": "delivered"}, quarantine_days=0)
    for one in (campaign, orders):
        await on_the_list(office, one, ada)
    assert await office.send(within=HOUR) == ["ada"]

    for one in (campaign, orders):
        reply = await office.tenant.api.delete(leaves.format(campaign=one["id"], person=ada))
        assert reply.status_code in {204, 404}

    await happened(office, email="bob@example.com")
    assert (await plan_of(office, campaign))["matched"] == 0
    assert await decided(office, campaign, bob) == ("skip", "not_in_audience")
    office.now += 7 * DAY
    assert await office.send(within=timedelta(hours=2)) == []


async def test_whoever_is_put_on_the_list_is_taken_into_the_open_wave(office: Office) -> None:
    ada, bob = await office.people("ada", "bob")
    campaign = await office.launched()
    await on_the_list(office, campaign, ada)
    assert await office.send(within=HOUR) == ["ada"]

    await on_the_list(office, campaign, bob)
    assert await office.send(within=HOUR) == ["bob"]

    await on_the_list(office, campaign, bob)
    assert await office.send(within=HOUR) == []


async def test_a_draft_whose_list_is_emptied_has_none(office: Office) -> None:
    (ada,) = await office.people("ada")
    await office.people("bob")
    draft = await create(office.tenant, kind="relationship", asking=an_asking())
    await on_the_list(office, draft, ada)
    assert (await plan_of(office, draft))["matched"] == 1

    await office.tenant.api.delete(f"/v1/campaigns/{draft['id']}/recipients/{ada}")

    assert (await plan_of(office, draft))["matched"] == 2
    await move(office.tenant, draft, "launch")


async def test_a_list_that_is_still_to_be_imported_is_one(office: Office) -> None:
    """Launched at once after the upload, or after one of which no row could be taken."""
    await office.people("ada")
    campaign = await create(office.tenant, kind="relationship", asking=an_asking())
    reply = await office.tenant.api.post(
        "/v1/imports/recipients", params={"campaign_id": campaign["id"]}, content="email\nbob@example.com\n",
        headers={"content-type": "text/csv"},
    )  # fmt: skip
    assert reply.status_code == 202, reply.text
    await move(office.tenant, campaign, "launch")

    assert await office.send(within=HOUR) == []


async def test_a_list_of_nobody_known_is_one(office: Office) -> None:
    await office.people("ada")
    campaign = await create(office.tenant, kind="relationship", asking=an_asking())
    await on_the_list(office, campaign, "rcpt_01939b2a000070008000000000000001")
    await move(office.tenant, campaign, "launch")

    assert await office.send(within=HOUR) == []
