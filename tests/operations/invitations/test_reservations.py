"""People are kept for a more important campaign that is to ask them soon."""

from datetime import timedelta
from typing import Any

import pytest

from tests.askings import an_asking
from tests.campaigns import create, in_days, move
from tests.operations.invitations.office import DAY, Office

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}
TEAM = {"field": "properties.plan", "eq": "team"}


async def coming(office: Office, days: float, **asking: Any) -> dict[str, Any]:
    """Launched, and beginning in so many days; nothing of it is planned."""
    said = an_asking(priority=50, **asking)
    campaign = await create(office.tenant, kind="relationship", asking=said, starts_at=in_days(days))
    return await move(office.tenant, campaign, "launch")


async def begin(office: Office) -> None:
    await office.engine_says("UPDATE campaigns SET state = 'running' WHERE state = 'scheduled'")


async def test_a_wave_that_comes_soon_keeps_its_people_before_it_is_planned(office: Office) -> None:
    await office.people("ada", properties={"plan": "team"})
    await office.people("bob", properties={"plan": "free"})
    important = await coming(office, 6, audience=TEAM)
    unimportant = await office.launched(wave_days=3)

    assert await office.send(within=5 * DAY) == ["bob"]
    assert await office.states(unimportant) == {"sent": 1, "reserved": 1}
    await begin(office)
    assert await office.send(within=3 * DAY) == ["ada"]
    assert await office.states(important) == {"sent": 1}


@pytest.mark.parametrize("days", [13, 15])
async def test_soon_is_a_fortnight(office: Office, days: int) -> None:
    await office.people("ada")
    await coming(office, days)
    await office.launched()

    assert await office.send(within=timedelta(hours=2)) == (["ada"] if days > 14 else [])


async def test_the_next_wave_keeps_them_too_where_it_can_ask_them(office: Office) -> None:
    await office.people("ada")
    await office.launched(trigger=WEEKLY, priority=50, quarantine_days=5)
    assert await office.send() == ["ada"]
    office.now += 2 * DAY
    await office.launched(quarantine_days=0, wave_days=2)

    assert await office.send(within=2 * DAY) == []


async def test_whom_it_could_not_ask_in_time_it_does_not_keep(office: Office) -> None:
    await office.people("ada")
    await office.launched()
    assert await office.send() == ["ada"]
    await coming(office, 6, quarantine_days=60)
    await office.launched(quarantine_days=0)

    assert await office.send() == ["ada"]


async def test_only_whom_a_sample_takes_is_kept(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(10)))
    await coming(office, 6, sample={"percent": 30})
    await office.launched(wave_days=3)

    assert len(await office.send(within=2 * DAY)) == 7


async def test_who_asks_however_lately_others_did_keeps_nobody(office: Office) -> None:
    await office.people("ada")
    await coming(office, 6, quarantine_days=0)
    await office.launched()

    assert await office.send() == ["ada"]


async def test_campaigns_of_one_journey_do_not_keep_people_from_each_other(office: Office) -> None:
    await office.people("ada")
    journey = {"name": "order", "least_gap_hours": 24, "most_per_person": 2}
    await coming(office, 6, journey=journey)
    await office.launched(journey=journey)

    assert await office.send() == ["ada"]


async def test_whose_turn_after_an_answer_comes_soon_is_kept(office: Office) -> None:
    await office.people("ada")
    await office.launched(trigger={"kind": "after_answer", "days": 12}, priority=50, quarantine_days=10)
    assert await office.send() == ["ada"]
    office.now += 7 * DAY
    await office.launched(quarantine_days=0, wave_days=1)

    assert await office.send(within=timedelta(hours=12)) == []


async def test_a_date_that_comes_soon_keeps_its_person(office: Office) -> None:
    exam = (office.now + 10 * DAY).date().isoformat()
    await office.people("ada", properties={"exam_on": exam})
    await office.people("bob")
    await office.launched(trigger={"kind": "date_property", "property": "exam_on"}, priority=50)
    await office.launched(wave_days=3)

    assert await office.send(within=2 * DAY) == ["bob"]
