"""A skip lasts as long as its reason: who can be asked again is, as long as nobody asked them about the same."""

from typing import Any

import pytest

from app.domain import ids
from tests.operations.invitations.office import DAY, HOUR, Office

PRO: dict[str, Any] = {"audience": {"field": "properties.plan", "eq": "pro"}}
AFTER_ANSWER = {"kind": "after_answer", "days": 30}
ON_DATE = {"kind": "date_property", "property": "exam_on", "offset_days": 1}


async def set_of(office: Office, person: str, **fields: Any) -> None:
    reply = await office.tenant.api.patch(f"/v1/recipients/{person}", json=fields)
    assert reply.status_code == 200, reply.text


async def suppress(office: Office, person: str, column: str, value: str) -> None:
    uuid = ids.parsed("recipient", person)
    await office.engine_says(f"UPDATE recipients SET {column} = {value} WHERE id = '{uuid}'")


@pytest.mark.parametrize("trigger", [AFTER_ANSWER, ON_DATE])
async def test_who_comes_back_to_the_audience_in_time_is_asked(office: Office, trigger: dict[str, Any]) -> None:
    properties = {"plan": "pro", "exam_on": (office.now - DAY).date().isoformat()}
    (ada,) = await office.people("ada", properties=properties)
    campaign = await office.launched(trigger=trigger, **PRO)
    await office.plan()
    await set_of(office, ada, properties={"plan": "free"})
    assert await office.send() == []
    assert await office.states(campaign) == {"not_in_audience": 1}

    await set_of(office, ada, properties={"plan": "pro"})

    assert await office.send() == ["ada"]
    assert await office.states(campaign) == {"sent": 1}


@pytest.mark.parametrize(
    ("column", "reason"),
    [("bounced_at", "bounced"), ("unsubscribed_at", "unsubscribed"), ("complained_at", "complained")],
)
@pytest.mark.parametrize("trigger", [AFTER_ANSWER, ON_DATE])
async def test_whoever_can_be_written_to_again_is_asked(
    office: Office, trigger: dict[str, Any], column: str, reason: str
) -> None:
    (ada,) = await office.people("ada", properties={"exam_on": (office.now - DAY).date().isoformat()})
    campaign = await office.launched(trigger=trigger)
    await office.plan()
    await suppress(office, ada, column, "now()")
    assert await office.send() == []
    assert await office.states(campaign) == {reason: 1}

    await suppress(office, ada, column, "NULL")

    assert await office.send() == ["ada"]


async def test_while_the_reason_lasts_a_skip_stays_as_it_is(office: Office) -> None:
    (ada,) = await office.people("ada", properties={"exam_on": (office.now - DAY).date().isoformat()})
    campaign = await office.launched(trigger=ON_DATE)
    await office.plan()
    await suppress(office, ada, "bounced_at", "now()")
    assert await office.send(within=2 * HOUR) == []
    place = f"/v1/campaigns/{campaign['id']}/invitations"
    before = (await office.tenant.api.get(place)).json()["data"]

    assert await office.send() == []

    assert (await office.tenant.api.get(place)).json()["data"] == before


async def test_nobody_is_asked_twice_about_the_same(office: Office) -> None:
    (ada,) = await office.people("ada", properties={"exam_on": (office.now - DAY).date().isoformat(), "plan": "pro"})
    await office.launched(trigger=ON_DATE, quarantine_days=0, **PRO)
    assert await office.send() == ["ada"]

    await set_of(office, ada, properties={"plan": "free"})
    assert await office.send() == []
    await set_of(office, ada, properties={"plan": "pro"})

    assert await office.send(within=2 * DAY) == []
