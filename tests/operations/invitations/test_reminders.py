"""Whom reminders go to, and when the next is due after one that was lost."""

from app.operations.invitations.settle import MailEnd
from tests.operations.invitations.office import DAY, Office

NEVER_ASKED = {"field": "last_asked_at", "exists": False}


async def test_whom_being_asked_took_out_of_the_audience_is_reminded(office: Office) -> None:
    await office.people("ada")
    await office.launched(audience=NEVER_ASKED, reminders=[{"after_days": 2}])

    assert await office.send(within=4 * DAY) == ["ada", "ada"]


async def test_who_is_taken_off_the_list_is_not_reminded(office: Office) -> None:
    ada, bob = await office.people("ada", "bob")
    campaign = await office.launched(reminders=[{"after_days": 2}])
    lists = f"/v1/campaigns/{campaign['id']}/recipients"
    assert (await office.tenant.api.post(lists, json={"recipient_ids": [ada, bob]})).status_code == 200
    await office.send()

    assert (await office.tenant.api.delete(f"{lists}/{ada}")).status_code == 204
    assert await office.send(within=4 * DAY) == ["bob"]


async def test_after_a_reminder_that_was_lost_comes_the_next_one(office: Office) -> None:
    await office.people("ada")
    await office.launched(reminders=[{"after_days": 2}, {"after_days": 5}])
    await office.send()
    office.now += 2 * DAY
    assert len(await office.claim()) == 1  # and whoever claimed it dies

    office.now += DAY / 24
    await office.tend()
    assert await office.send(within=5 * DAY) == ["ada"]


async def test_after_a_reminder_that_perhaps_arrived_comes_the_next_one(office: Office) -> None:
    await office.people("ada")
    await office.launched(reminders=[{"after_days": 2}, {"after_days": 5}])
    await office.send()
    office.now += 2 * DAY

    await office.settle(await office.claim(), MailEnd.UNKNOWN)
    assert await office.send(within=5 * DAY) == ["ada"]
