"""People are kept for a more important campaign whose turn is now, though nobody has given them their moment yet."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.operations.invitations.plan_campaigns import plan_due_campaign
from app.operations.invitations.schedule import schedule_invitations
from tests.askings import an_asking
from tests.campaigns import create, in_days, move
from tests.operations.invitations.office import DAY, Office

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


async def both_begin(office: Office, *, first: str) -> dict[str, Any]:
    """At the same instant, and that one is looked at first. The important one."""
    for priority in (0, 50):
        said = an_asking(trigger=WEEKLY, quarantine_days=6, priority=priority)
        campaign = await create(office.tenant, kind="relationship", asking=said, starts_at=in_days(3))
        await move(office.tenant, campaign, "launch")
    office.now = datetime.now(UTC) + 3 * DAY + timedelta(minutes=1)
    await office.engine_says(
        f"UPDATE campaigns SET state = 'running', plan_due_at = now() - (asking ->> 'priority')::int * {first}"
        " * interval '1 minute'"
    )
    return campaign


UNIMPORTANT, IMPORTANT = "-1", "1"


@pytest.mark.parametrize(("first", "planned"), [(UNIMPORTANT, 1), (IMPORTANT, 2)])
async def test_a_wave_whose_time_has_come_keeps_its_people(office: Office, first: str, planned: int) -> None:
    """Not planned yet, or planned with nobody's moment known."""
    await office.people("ada")
    important = await both_begin(office, first=first)
    for _ in range(planned):
        async with office.engine.write() as tx:
            await plan_due_campaign(tx, now=office.now)
    await only_the_unimportant_is_scheduled(office)

    assert await office.claim() == []
    assert await office.send(within=timedelta(minutes=5)) == ["ada"]
    assert await office.states(important) == {"sent": 1}


async def only_the_unimportant_is_scheduled(office: Office) -> None:
    held = "UPDATE invitations v SET state = '{}' FROM campaigns c WHERE c.id = v.campaign_id AND v.state = '{}'"
    of_important = " AND (c.asking ->> 'priority')::int = 50"
    await office.engine_says(held.format("released", "planned") + of_important)
    async with office.engine.write() as tx:
        await schedule_invitations(tx, now=office.now)
    await office.engine_says(held.format("planned", "released") + of_important)


async def test_whose_turn_after_an_answer_has_come_is_kept_until_somebody_looks(office: Office) -> None:
    await office.people("ada")
    after: dict[str, Any] = {"kind": "after_answer", "days": 10}
    important = await office.launched(trigger=after, priority=50, quarantine_days=5)
    assert await office.send(within=timedelta(0)) == ["ada"]
    office.now += 10 * DAY - timedelta(minutes=90)
    await office.plan()  # half an hour before, and then again in an hour
    await office.launched(quarantine_days=5, wave_days=1)
    office.now += timedelta(minutes=40)

    assert await office.send(within=timedelta(0)) == []
    office.now += DAY
    assert await office.send(within=timedelta(0)) == ["ada"]
    assert await office.states(important) == {"sent": 2}
