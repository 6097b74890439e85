"""Whose turn comes, and whose does not, where no invitation says so."""

from tests.operations.invitations.office import DAY, Office


async def happened(office: Office, name: str = "delivered", email: str = "ada@example.com") -> None:
    reply = await office.tenant.api.post("/v1/touchpoints", json={"name": name, "recipient": {"email": email}})
    assert reply.status_code == 201, reply.text


async def test_whoever_is_new_at_a_touchpoint_is_asked_if_they_are_not_when_it_is_due(office: Office) -> None:
    await office.people("ada")
    in_days = {"kind": "touchpoint", "name": "delivered", "delay_minutes": 40 * 24 * 60}
    late = await office.launched(trigger=in_days, exclude_newer_than_days=30)
    early = await office.launched(trigger={"kind": "touchpoint", "name": "delivered"}, exclude_newer_than_days=30)

    await happened(office)

    assert await office.send(within=2 * DAY) == []
    assert await office.states(early) == {"too_new": 1}
    office.now += 38 * DAY
    assert await office.send() == ["ada"]
    assert await office.states(late) == {"sent": 1}
