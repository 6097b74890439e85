"""What is planned one by one is in the plan, and what its reason has become is told before it is due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.askings import an_asking
from tests.campaigns import create, in_days, move, patch
from tests.operations.invitations.office import DAY, HOUR, Office
from tests.operations.invitations.test_coming_turns import decided
from tests.operations.invitations.test_open_waves import plan_of

ON_DATE = {"kind": "date_property", "property": "exam_on"}
ORDER = {"kind": "touchpoint", "name": "order", "delay_minutes": 24 * 60}


async def happened(office: Office, name: str, **said: Any) -> None:
    body = {"name": name, "recipient": {"email": "ada@example.com"}, **said}
    reply = await office.tenant.api.post("/v1/touchpoints", json=body)
    assert reply.status_code == 201, reply.text


def in_five_days(office: Office) -> str:
    return (office.now + 5 * DAY).date().isoformat()


async def test_a_date_that_is_planned_is_still_in_the_plan(office: Office) -> None:
    await office.people("ada", "bob", properties={"exam_on": in_five_days(office)})
    campaign = await office.launched(trigger=ON_DATE)
    before = await plan_of(office, campaign)
    await office.plan()

    assert await plan_of(office, campaign) == before
    assert before["due"] == 2
    edited = (await patch(office.tenant, campaign, asking=an_asking(trigger={**ON_DATE, "offset_days": 2}))).json()
    days = [[hour["day"] for hour in edited["plan"][when]["hours"]] for when in ("before", "after")]
    assert days == [[in_five_days(office)], [(office.now + 7 * DAY).date().isoformat()]]


async def test_who_waits_for_a_touchpoints_delay_or_a_quarantine_is_in_the_plan(office: Office) -> None:
    await office.people("ada")
    after = await office.launched(trigger={"kind": "after_answer", "days": 30})
    assert await office.send(within=HOUR) == ["ada"]
    orders = await office.launched(trigger={**ORDER, "max_lateness_hours": 8_000})
    await happened(office, "order")
    office.now += 31 * DAY
    await office.plan()
    assert await office.claim() == []

    assert [(await plan_of(office, one))["due"] for one in (after, orders)] == [1, 1]


async def test_who_has_answered_since_a_wave_was_planned_is_not_due(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(spread_days=5)
    await office.plan()
    await office.answer(campaign, ada)

    told = await plan_of(office, campaign)

    assert (told["due"], told["skipped"]) == (0, {"already_answered": 1})


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [({**ORDER, "cancelled_by": ["return"]}, "cancelled"), ({**ORDER, "name": "other"}, "trigger_changed")],
)
async def test_an_edit_tells_what_it_calls_off(office: Office, trigger: dict[str, Any], reason: str) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger=ORDER)
    for name in ("order", "return"):
        await happened(office, name)
    assert await decided(office, campaign, ada) == ("send", None)

    edited = (await patch(office.tenant, campaign, asking=an_asking(trigger=trigger))).json()

    assert (edited["plan"]["before"]["due"], edited["plan"]["after"]["due"]) == (1, 0)
    assert edited["plan"]["after"]["skipped"] == {reason: 1}
    assert await decided(office, campaign, ada) == ("skip", reason)
    assert await office.send(within=2 * DAY) == []
    assert await office.states(campaign) == {reason: 1}


async def test_a_date_that_is_gone_is_told_before_anybody_looks(office: Office) -> None:
    (ada,) = await office.people("ada", properties={"exam_on": in_five_days(office)})
    campaign = await office.launched(trigger=ON_DATE)
    await office.plan()
    await office.tenant.api.patch(f"/v1/recipients/{ada}", json={"properties": {"exam_on": None}})

    assert await decided(office, campaign, ada) == ("skip", "date_moved")


async def test_an_older_touchpoint_that_was_too_late_hides_no_planned_one(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger=ORDER)
    await happened(office, "order")
    await happened(office, "order", occurred_at=(office.now - 100 * DAY).isoformat())

    assert await office.states(campaign) == {"planned": 1, "too_late": 1}
    assert await decided(office, campaign, ada) == ("send", None)


async def test_more_days_after_an_answer_hold_for_whoever_is_planned_too(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger={"kind": "after_answer", "days": 30})
    assert await office.send(within=HOUR) == ["ada"]
    asked_at = office.now
    office.now += 31 * DAY
    await office.plan()
    await patch(office.tenant, campaign, asking=an_asking(trigger={"kind": "after_answer", "days": 200}))

    for days, asked in ((91, []), (198, []), (200, ["ada"])):
        office.now = asked_at + days * DAY
        assert await office.send(within=timedelta(0)) == asked


async def test_a_second_chance_that_comes_after_the_end_is_none_in_the_plan_either(office: Office) -> None:
    await office.people("ada")
    after: dict[str, Any] = {"kind": "after_answer", "days": 30}
    draft = await create(office.tenant, kind="relationship", asking=an_asking(trigger=after), ends_at=in_days(50))
    campaign = await move(office.tenant, draft, "launch")
    office.now = datetime.now(UTC)
    assert await office.send(within=HOUR) == ["ada"]
    office.now += 31 * DAY
    await office.plan()
    assert await office.claim() == []
    assert await office.states(campaign) == {"sent": 1, "quarantine": 1}

    rarely = an_asking(trigger={**after, "days": 60}, quarantine_days=0)
    assert (await patch(office.tenant, campaign, asking=rarely)).json()["plan"]["after"]["due"] == 0
    assert await office.send(within=20 * DAY) == []
