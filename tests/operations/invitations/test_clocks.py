"""Blackouts, reminders and expiry of a running campaign may change: it holds for those who were asked already."""

from datetime import datetime, timedelta
from typing import Any

from tests.askings import an_asking
from tests.campaigns import patch
from tests.operations.invitations.office import DAY, HOUR, Office

TEAM = {"field": "properties.plan", "eq": "team"}


async def asked(office: Office, **asking: Any) -> dict[str, Any]:
    campaign = await office.launched(**asking)
    await office.send(within=HOUR)
    return campaign


async def edit(office: Office, campaign: dict[str, Any], **asking: Any) -> None:
    reply = await patch(office.tenant, campaign, asking=an_asking(**asking))
    assert reply.status_code == 200, reply.text
    await office.plan()


async def invitation(office: Office, campaign: dict[str, Any], person: str) -> dict[str, Any]:
    place = f"/v1/campaigns/{campaign['id']}/invitations"
    (found,) = (await office.tenant.api.get(place, params={"recipient_id": person})).json()["data"]
    return dict(found)


def dark(office: Office, **of: Any) -> dict[str, Any]:
    """Ten days, from the day after tomorrow."""
    begins = office.now + 2 * DAY
    return {"from": begins.isoformat(), "until": (begins + 10 * DAY).isoformat(), **of}


async def days_until(office: Office, campaign: dict[str, Any], person: str) -> tuple[int | None, int]:
    """(the reminder, the expiry), from when they were asked."""
    found = await invitation(office, campaign, person)
    due, ends, asked_at = (
        found[name] and datetime.fromisoformat(found[name]) for name in ("due_at", "expires_at", "asked_at")
    )
    return due and round((due - asked_at) / DAY), round((ends - asked_at) / DAY)


async def test_a_blackout_declared_later_stops_the_clocks_of_those_whom_it_is_for(office: Office) -> None:
    (ada,) = await office.people("ada", properties={"plan": "team"})
    (bob,) = await office.people("bob", properties={"plan": "free"})
    said = {"reminders": [{"after_days": 4}], "expires_after_days": 20}
    campaign = await asked(office, **said)
    assert [await days_until(office, campaign, person) for person in (ada, bob)] == [(4, 20), (4, 20)]

    await edit(office, campaign, **said, blackouts=[dark(office, audience=TEAM)])

    assert [await days_until(office, campaign, person) for person in (ada, bob)] == [(14, 30), (4, 20)]


async def test_reminders_may_be_added_and_called_off(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await asked(office)
    assert await days_until(office, campaign, ada) == (None, 30)

    await edit(office, campaign, reminders=[{"after_days": 3}], expires_after_days=9)
    assert await days_until(office, campaign, ada) == (3, 9)
    assert await office.send(within=4 * DAY) == ["ada"]
    await edit(office, campaign, reminders=[{"after_days": 3}, {"after_days": 7}], expires_after_days=9)
    assert await days_until(office, campaign, ada) == (7, 9)
    await edit(office, campaign)

    assert await days_until(office, campaign, ada) == (None, 30)
    assert await office.send(within=20 * DAY) == []


async def test_a_link_that_somebody_else_sends_is_not_reminded_of(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(audience=TEAM)
    reply = await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/links", json={"recipient_ids": [ada]})
    assert reply.status_code == 200, reply.text

    await edit(office, campaign, audience=TEAM, reminders=[{"after_days": 3}], expires_after_days=60)

    assert await days_until(office, campaign, ada) == (None, 60)


async def test_other_edits_leave_the_clocks_alone(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await asked(office, reminders=[{"after_days": 4}])
    before = await invitation(office, campaign, ada)

    await edit(office, campaign, reminders=[{"after_days": 4}], priority=7)

    assert await invitation(office, campaign, ada) == before
    assert office.now > datetime.fromisoformat(before["asked_at"]) + timedelta(minutes=1)
