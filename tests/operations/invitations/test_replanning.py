"""An edit of a campaign that has very many planned answers soon, and the planner gives all of them another moment."""

from typing import Any

import pytest

from app.operations.invitations import replan
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import patch
from tests.operations.invitations.office import HOUR, Office

LATER = {"kind": "every", "count": 1, "unit": "months", "spread": "evenly"}


@pytest.fixture(autouse=True)
def a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replan, "AT_ONCE", 3)


async def planned(office: Office) -> dict[str, Any]:
    await office.people(*(f"p{at}" for at in range(10)))
    campaign = await office.launched(trigger={**LATER, "spread": "wave"})
    await office.plan()
    return campaign


async def test_an_edit_touches_those_due_first_and_the_planner_the_others(office: Office) -> None:
    campaign = await planned(office)
    before = await office.dues()

    reply = await patch(office.tenant, campaign, asking=an_asking(trigger=LATER))

    assert reply.status_code == 200, reply.text
    assert (await office.dues()).count(None) == 3
    office.now += HOUR
    await office.plan()
    after = await office.dues()
    assert None not in after
    assert len(set(after)) == 10 > len(set(before))
    (row,) = await rows(office.engine, "SELECT replan_in FROM campaigns")
    assert row["replan_in"] is None


async def test_whoever_still_gives_moments_by_what_held_before_is_waited_for(office: Office) -> None:
    campaign = await planned(office)
    async with office.engine.write() as tx:
        await tx.exec_driver_sql("SELECT pg_current_xact_id()")  # somebody is at it
        await patch(office.tenant, campaign, asking=an_asking(trigger=LATER))
        office.now += HOUR
        await office.plan()
        await tx.exec_driver_sql("UPDATE invitations SET due_at = now(), changed_in = pg_current_xact_id()")
    assert len(set(await office.dues())) == 1

    office.now += HOUR
    await office.plan()

    assert len(set(await office.dues())) >= 8
