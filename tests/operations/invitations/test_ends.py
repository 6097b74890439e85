"""What ends asking, plans and eligibility know beforehand: the campaign's own end, and that enough is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain import ids
from app.domain.asking.touchpoint import NewTouchpoint
from app.operations.invitations import end
from app.operations.touchpoints import record_touchpoints
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import create, move, patch
from tests.operations.invitations.office import DAY, HOUR, Office

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}
AFTER = {"kind": "after_answer", "days": 30}


async def launched_until(office: Office, left: timedelta, **asking: Any) -> dict[str, Any]:
    made = await create(office.tenant, ends_at=(office.now + left).isoformat(), asking=an_asking(**asking))
    running = await move(office.tenant, made, "launch")
    office.now = max(office.now, datetime.now(UTC))
    return running


async def plan_of(office: Office, campaign: dict[str, Any]) -> dict[str, Any]:
    reply = await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/plan", json={})
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["after"])


async def why(office: Office, campaign: dict[str, Any], person: str) -> tuple[str, str | None]:
    reply = await office.tenant.api.get(f"/v1/recipients/{person}/eligibility", params={"campaign_id": campaign["id"]})
    return reply.json()["decision"], reply.json()["reason"]


async def test_a_wave_that_would_be_spread_for_longer_is_done_before_the_campaign_ends(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(8)))
    campaign = await launched_until(office, 2 * DAY, spread_days=10)
    hours = (await plan_of(office, campaign))["hours"]
    assert sum(hour["count"] for hour in hours) == 8
    assert {hour["day"] for hour in hours} <= {(office.now.date() + days * DAY).isoformat() for days in range(3)}

    await office.plan()

    listed = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/invitations")).json()["data"]
    assert len(listed) == 8
    assert all(one["due_at"] < campaign["ends_at"] for one in listed)


async def test_whose_turn_comes_after_the_end_is_planned_by_nobody(office: Office) -> None:
    (ada,) = await office.people("ada")
    closed = (office.now + 2 * DAY).strftime("%a").lower()
    campaign = await launched_until(office, DAY / 2, window={"days": [closed]})
    assert await why(office, campaign, ada) == ("skip", "window")
    planned = await plan_of(office, campaign)
    assert (planned["due"], planned["skipped"]) == (0, {"window": 1})
    await office.plan()
    assert await office.states(campaign) == {"window": 1}

    longer = await patch(office.tenant, campaign, ends_at=(office.now + 9 * DAY).isoformat())

    assert longer.status_code == 200, longer.text
    assert await office.send(within=3 * DAY) == ["ada"]


async def test_a_wave_after_the_end_is_none(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await launched_until(office, 3 * DAY, trigger=WEEKLY, quarantine_days=0)
    assert await office.send(within=HOUR) == ["ada"]

    assert await why(office, campaign, ada) == ("skip", "not_in_wave")


async def test_who_asks_no_more_keeps_nobody_from_others(office: Office) -> None:
    campaign = await launched_until(office, 3 * DAY, trigger=WEEKLY, priority=90)
    await office.plan()
    await office.people("ada")
    other = await office.launched(wave_days=1)

    assert await office.send(within=4 * HOUR) == ["ada"]
    assert await office.states(other) == {"sent": 1}
    assert await office.states(campaign) == {}


@pytest.mark.parametrize("trigger", [{"kind": "once"}, AFTER, {"kind": "date_property", "property": "exam_on"}])
async def test_who_knows_enough_plans_nobody(office: Office, trigger: dict[str, Any]) -> None:
    yesterday = (office.now - DAY).date().isoformat()
    ada, bob = await office.people("ada", "bob", properties={"exam_on": yesterday})
    campaign = await office.launched(trigger=trigger, stop={"answers": 1})
    assert (await plan_of(office, campaign))["due"] == 2
    await office.answer(campaign, ada)

    told = await plan_of(office, campaign)

    assert told["due"] == 0
    assert told["skipped"]["enough_known"] >= 1
    assert await why(office, campaign, bob) == ("skip", "enough_known")
    assert await office.send() == []


async def test_of_each_value_of_a_property_enough_is_known_by_itself(office: Office) -> None:
    said = {"key": "plan", "source": "recipient", "kind": "text"}
    assert (await office.tenant.api.post("/v1/tracked-properties", json=said)).is_success
    ada, bob = await office.people("ada", "bob", properties={"plan": "pro"})
    (cam,) = await office.people("cam", properties={"plan": "free"})
    campaign = await office.launched(stop={"answers": 1, "property": "plan"})
    await office.answer(campaign, ada)

    told = await plan_of(office, campaign)

    assert (told["due"], told["skipped"]["enough_known"]) == (1, 2)
    assert await why(office, campaign, bob) == ("skip", "enough_known")
    assert await why(office, campaign, cam) == ("send", None)


async def test_who_was_kept_until_the_end_is_asked_once_the_end_is_later(office: Office) -> None:
    await office.people("ada")
    await office.engine_says("UPDATE recipients SET asked_at = now()")
    campaign = await office.launched(trigger={"kind": "after_answer", "days": 1}, quarantine_days=10)
    for days, gone in ((5, []), (90, ["ada"])):
        ends_at = (office.now + days * DAY).isoformat()
        reply = await office.tenant.api.patch(f"/v1/campaigns/{campaign['id']}", json={"ends_at": ends_at})
        assert reply.status_code == 200, reply.text
        assert await office.send(within=DAY if days == 5 else 15 * DAY) == gone


async def test_what_comes_in_while_a_campaign_is_completed_is_released_when_it_would_be_due(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger={"kind": "touchpoint", "name": "order", "delay_minutes": 60})
    await office.plan()
    person = ids.parsed("recipient", ada)
    assert person is not None
    async with office.engine.write() as tx:
        said = [NewTouchpoint(person, "order", office.now)]
        await record_touchpoints(tx, office.tenant.workspace_id, said, now=office.now)
        await move(office.tenant, campaign, "complete")
        office.now = datetime.now(UTC)
        await office.plan()

    assert await office.send(within=3 * HOUR) == []
    assert await office.states(campaign) == {"released": 1}


async def test_a_large_wave_is_closed_in_several_rounds(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end, "LATE_AT_ONCE", 3)
    await office.people(*(f"p{at}" for at in range(8)))
    campaign = await office.launched(trigger={"kind": "once"}, wave_days=2)
    await office.plan()
    office.now += 3 * DAY
    left = []
    for _ in range(4):
        async with office.engine.write() as tx:
            await end.close_waves(tx, now=office.now)
        left.append((await office.states(campaign)).get("planned", 0))
        assert (await waves_closed(office)) == (left[-1] == 0)
    assert left == [5, 2, 0, 0]


async def waves_closed(office: Office) -> bool:
    return (await rows(office.engine, "SELECT bool_and(state = 'closed') AS closed FROM waves"))[0]["closed"]
