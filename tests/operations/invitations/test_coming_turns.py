"""Whose turn comes, and whose does not, where no invitation says so."""

from typing import Any

import pytest

from tests.operations.invitations.office import DAY, HOUR, Office
from tests.operations.invitations.test_why_not import why


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


DELIVERED = {"kind": "touchpoint", "name": "delivered", "delay_minutes": 60}
ON_DATE = {"kind": "date_property", "property": "exam_on"}


async def decided(office: Office, campaign: dict[str, Any], person: str) -> tuple[str, str | None]:
    told = await why(office, campaign, person)
    return told["decision"], told["reason"]


async def test_before_a_touchpoint_comes_it_is_nobodys_turn(office: Office) -> None:
    ada, bob = await office.people("ada", "bob")
    campaign = await office.launched(trigger=DELIVERED)
    rare = await office.launched(trigger=DELIVERED, sample={"percent": 0.01})
    strict = await office.launched(trigger=DELIVERED, exclude_newer_than_days=30, quarantine_days=0)
    assert [await decided(office, one, ada) for one in (campaign, rare, strict)] == [("skip", "no_turn")] * 3

    await happened(office)

    assert await decided(office, campaign, ada) == ("send", None)
    assert await decided(office, rare, ada) == ("skip", "not_sampled")
    assert (await decided(office, strict, ada))[1] == "too_new"
    assert await decided(office, campaign, bob) == ("skip", "no_turn")
    await office.send()
    assert await decided(office, campaign, ada) == ("skip", "no_turn")
    assert await decided(office, strict, ada) == ("skip", "too_new")


@pytest.mark.parametrize(
    ("exam_on", "decision"),
    [
        (None, ("skip", "no_turn")),
        ("01/02/2027", ("skip", "no_turn")),
        ("2020-01-01", ("skip", "too_late")),
        (40, ("wait", "not_due")),
        (-1, ("send", None)),
    ],
)
async def test_a_date_is_their_turn_when_it_comes(
    office: Office, exam_on: str | int | None, decision: tuple[str, str | None]
) -> None:
    day = (office.now + exam_on * DAY).date().isoformat() if isinstance(exam_on, int) else exam_on
    (ada,) = await office.people("ada", properties={"exam_on": day} if day else {})

    told = await why(office, await office.launched(trigger={**ON_DATE, "at": "12:00"}), ada)

    assert (told["decision"], told["reason"]) == decision
    assert told["until"] is None or told["until"][:10] == day


async def test_days_after_an_answer_their_turn_comes_if_the_sample_takes_them(office: Office) -> None:
    (ada,) = await office.people("ada")
    after = {"kind": "after_answer", "days": 100}
    campaign = await office.launched(trigger=after, quarantine_days=10)
    rare = await office.launched(trigger=after, sample={"percent": 0.01})
    assert await decided(office, campaign, ada) == ("send", None)
    assert await decided(office, rare, ada) == ("wait", "not_sampled")

    assert await office.send(within=HOUR) == ["ada"]

    told = await why(office, campaign, ada)
    assert (told["decision"], told["reason"]) == ("wait", "not_due")
    assert told["until"][:10] in {(office.now + days * DAY).date().isoformat() for days in (99, 100)}
