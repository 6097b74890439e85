"""Why somebody is not asked can be read, also where no invitation was ever made for them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import create
from tests.operations.invitations.office import DAY, HOUR, Office

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


async def why(office: Office, campaign: dict[str, Any], person: str) -> dict[str, Any]:
    reply = await office.tenant.api.get(f"/v1/recipients/{person}/eligibility", params={"campaign_id": campaign["id"]})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_whoever_is_not_on_the_list_is_not_in_the_audience(office: Office) -> None:
    ada, bob = await office.people("ada", "bob")
    campaign = await office.launched()
    await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/recipients", json={"recipient_ids": [ada]})

    told = [await why(office, campaign, person) for person in (ada, bob)]

    assert [(one["decision"], one["reason"]) for one in told] == [("send", None), ("skip", "not_in_audience")]


async def test_whoever_is_new_waits_until_they_are_not(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(exclude_newer_than_days=30)

    told = await why(office, campaign, ada)

    assert (told["decision"], told["reason"]) == ("wait", "too_new")
    assert (office.now + timedelta(days=30)).date().isoformat() == told["until"][:10]


@pytest.mark.parametrize(("trigger", "decision"), [(WEEKLY, "wait"), ({"kind": "once"}, "skip")])
async def test_whom_a_sample_left_out_waits_for_the_next_wave(
    office: Office, trigger: dict[str, Any], decision: str
) -> None:
    people = await office.people(*(f"p{at}" for at in range(4)))
    campaign = await office.launched(trigger=trigger, sample={"percent": 50})
    await office.plan()

    told = [await why(office, campaign, person) for person in people]

    assert sorted(one["decision"] for one in told) == sorted([decision] * 2 + ["send"] * 2)
    assert {one["reason"] for one in told if one["invitation"] is None} == {"not_in_wave"}


async def test_before_its_first_wave_a_campaign_says_what_it_would_do(office: Office) -> None:
    (ada,) = await office.people("ada")
    draft = await create(office.tenant, asking=an_asking())
    assert (await why(office, draft, ada))["reason"] == "campaign_not_running"
    assert (await why(office, await office.launched(), ada))["decision"] == "send"


async def test_whoever_waits_for_a_cap_is_told_until_when(office: Office) -> None:
    people = await office.people("ada", "bob", "cay", "dan")
    campaign = await office.launched(pace={"per_hour": 1})
    await office.plan()
    assert {(await why(office, campaign, person))["reason"] for person in people} == {None, "pace"}
    (sent,) = await office.claim()
    await office.settle([sent])
    waiting = [person for person in people if not person.endswith(sent.addressee.id.hex)]

    told = [await why(office, campaign, person) for person in waiting]

    assert {(one["decision"], one["reason"]) for one in told} == {("wait", "pace")}
    untils = sorted(datetime.fromisoformat(one["until"]) for one in told)
    assert [until.minute for until in untils] == [0, 0, 0]
    assert untils[1] - untils[0] == untils[2] - untils[1] == HOUR
    assert office.now < untils[0] <= office.now + HOUR


async def test_a_warm_up_is_over_when_it_was_said(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(10)))
    campaign = await office.launched(pace={"warm_up": {"first_day": 2, "growth": 2}})
    await office.plan()
    plan = (await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/plan", json={})).json()["after"]
    begins = office.now

    gone = await office.send(within=4 * DAY)

    assert sorted(gone) == [f"p{at}" for at in range(10)]
    (row,) = await rows(office.engine, "SELECT max(asked_at) AS at FROM invitations")
    assert abs(row["at"] - datetime.fromisoformat(plan["last_at"])) <= 6 * HOUR
    assert row["at"] > begins + DAY
