"""What a campaign would do, and why somebody is not asked: both by the rule that sends."""

from typing import Any

import pytest

from app.queries import campaign_previews
from tests.askings import an_asking
from tests.campaigns import create, move, patch
from tests.conftest import Tenant


async def people(alice: Tenant, *rows: dict[str, Any]) -> list[str]:
    reply = await alice.api.post("/v1/recipients/bulk", json={"recipients": list(rows)})
    return [row["id"] for row in reply.json()["results"]]


async def plan(alice: Tenant, campaign: dict[str, Any], **body: Any) -> dict[str, Any]:
    reply = await alice.api.post(f"/v1/campaigns/{campaign['id']}/plan", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def eligibility(alice: Tenant, person: str, campaign: dict[str, Any]) -> dict[str, Any]:
    reply = await alice.api.get(f"/v1/recipients/{person}/eligibility", params={"campaign_id": campaign["id"]})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_a_plan_says_how_many_when_and_who_not(alice: Tenant) -> None:
    made = await people(alice, {"email": "ada@example.com"}, {"email": "bob@example.com"}, {"external_id": "no mail"})
    await alice.api.post(f"/v1/recipients/{made[1]}/unsubscribe")
    campaign = await create(alice, asking=an_asking())

    told = (await plan(alice, campaign))["after"]

    assert (told["matched"], told["selected"], told["due"]) == (3, 1, 1)
    assert told["excluded"] == {"no_address": 1, "unsubscribed": 1}
    assert sum(hour["count"] for hour in told["hours"]) == 1


async def test_a_zero_is_no_false(alice: Tenant) -> None:
    held = {"hold_open_follow_up": 0}
    for path, body in (
        ("/v1/campaigns", {"name": "Zero", "kind": "relationship", "asking": an_asking(**held)}),
        ("/v1/audiences/preview", {"filter": {"field": "email", "exists": True}, **held}),
    ):
        reply = await alice.api.post(path, json=body)
        assert reply.status_code == 422
        assert "hold_open_follow_up" in str(reply.json()["errors"])


async def test_a_plan_writes_nothing(alice: Tenant) -> None:
    await people(alice, {"email": "ada@example.com"})
    campaign = await create(alice, asking=an_asking())

    await plan(alice, campaign)

    assert (await alice.api.get(f"/v1/campaigns/{campaign['id']}/invitations")).json()["data"] == []


async def test_another_asking_is_planned_beside_the_one_there_is(alice: Tenant) -> None:
    await people(alice, *({"email": f"{at}@example.com", "properties": {"plan": at % 2}} for at in range(10)))
    campaign = await move(alice, await create(alice, asking=an_asking()), "launch")

    told = await plan(alice, campaign, asking=an_asking(audience={"field": "properties.plan", "eq": 1}))

    assert (told["before"]["selected"], told["after"]["selected"]) == (10, 5)


async def test_a_sample_takes_some_and_says_who_is_left_out(alice: Tenant) -> None:
    await people(alice, *({"email": f"{at}@example.com"} for at in range(10)))
    campaign = await create(alice, asking=an_asking(sample={"percent": 30}))

    told = (await plan(alice, campaign))["after"]

    assert (told["selected"], told["left_out"]) == (3, 7)


WARMING_UP = {"pace": {"warm_up": {"first_day": 2, "growth": 2}}}


async def test_a_plan_says_on_which_days_its_mails_leave(alice: Tenant) -> None:
    await people(alice, *({"email": f"{at}@example.com"} for at in range(10)))
    campaign = await create(alice, asking=an_asking())
    hurried = (await plan(alice, campaign))["after"]
    assert [day["count"] for day in hurried["days"]] == [10]

    told = (await plan(alice, campaign, asking=an_asking(**WARMING_UP)))["after"]

    assert [day["count"] for day in told["days"]] == [2, 4, 4]
    assert told["days"][-1]["day"] > hurried["days"][-1]["day"]
    assert told["last_at"] > hurried["last_at"]
    assert (told["days_of_warm_up"], told["late"]) == (3, 0)
    assert told["hours"] == hurried["hours"]


async def test_a_plan_says_who_would_not_leave_in_time(alice: Tenant) -> None:
    await people(alice, *({"email": f"{at}@example.com"} for at in range(10)))
    campaign = await create(alice, asking=an_asking(wave_days=1, **WARMING_UP))

    told = (await plan(alice, campaign))["after"]

    assert 4 <= told["late"] <= 8  # by how much of today is left
    assert sum(day["count"] for day in told["days"]) + told["late"] == told["due"] == 10


async def test_an_edit_says_how_long_it_takes_with_everybody(alice: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_previews, "MOST_LOOKED_AT", 4)
    await people(alice, *({"email": f"{at}@example.com"} for at in range(10)))
    campaign = await move(alice, await create(alice, asking=an_asking()), "launch")

    edited = (await patch(alice, campaign, asking=an_asking(**WARMING_UP))).json()["plan"]

    assert (edited["after"]["is_complete"], edited["after"]["due"]) == (False, 4)
    assert [day["count"] for day in edited["after"]["days"]] == [2, 4, 4]
    assert edited["before"]["last_at"] < edited["after"]["last_at"]


async def test_a_plan_needs_no_body(alice: Tenant) -> None:
    await people(alice, {"email": "ada@example.com"})
    campaign = await create(alice, asking=an_asking())

    plans = [
        (await alice.api.post(f"/v1/campaigns/{campaign['id']}/plan", **said)).json()
        for said in ({}, {"json": {}}, {"headers": {"content-type": "application/json"}})
    ]

    assert [(one["after"]["due"], one["before"]) for one in plans] == [(1, None)] * 3
    refused = await alice.api.post(f"/v1/campaigns/{campaign['id']}/plan", content="asking=x")
    assert refused.status_code == 415


async def test_a_campaign_that_asks_nobody_has_no_plan(alice: Tenant) -> None:
    campaign = await create(alice)

    reply = await alice.api.post(f"/v1/campaigns/{campaign['id']}/plan", json={})

    assert (reply.status_code, reply.json()["code"]) == (409, "campaign_asks_nobody")


async def test_somebody_may_be_asked(alice: Tenant) -> None:
    (ada,) = await people(alice, {"email": "ada@example.com"})
    campaign = await move(alice, await create(alice, asking=an_asking()), "launch")

    told = await eligibility(alice, ada, campaign)

    assert (told["decision"], told["reason"]) == ("send", None)


async def test_why_somebody_is_not_asked_can_be_read(alice: Tenant) -> None:
    (ada,) = await people(alice, {"email": "ada@example.com"})
    await alice.api.post(f"/v1/recipients/{ada}/unsubscribe")
    campaign = await move(alice, await create(alice, asking=an_asking()), "launch")

    told = await eligibility(alice, ada, campaign)

    assert (told["decision"], told["reason"]) == ("skip", "unsubscribed")


async def test_a_draft_asks_nobody(alice: Tenant) -> None:
    (ada,) = await people(alice, {"email": "ada@example.com"})
    campaign = await create(alice, asking=an_asking())

    assert (await eligibility(alice, ada, campaign))["reason"] == "campaign_not_running"


async def test_a_plan_and_a_launch_warn_of_a_rhythm_that_the_quarantine_holds_back(alice: Tenant) -> None:
    weekly = {"kind": "every", "count": 1, "unit": "weeks"}
    campaign = await create(alice, asking=an_asking(trigger=weekly))

    warnings = (await plan(alice, campaign))["after"]["warnings"]
    launched = await alice.api.post(f"/v1/campaigns/{campaign['id']}/launch")

    assert [(one["code"], one["domain"]) for one in warnings] == [("quarantine_longer", None)]
    assert launched.json()["warnings"] == warnings
    assert (await plan(alice, campaign, asking=an_asking(trigger=weekly, quarantine_days=6)))["after"]["warnings"] == []
