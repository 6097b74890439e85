import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from app.db.engine import Engine
from tests.builders import a_campaign, a_recipient
from tests.conftest import Tenant


async def add(tenant: Tenant, campaign: str, *recipients: str) -> dict[str, Any]:
    reply = await tenant.api.post(f"/v1/campaigns/{campaign}/recipients", json={"recipient_ids": recipients})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def members(tenant: Tenant, campaign: str) -> list[str]:
    listed = (await tenant.api.get(f"/v1/campaigns/{campaign}/recipients")).json()
    return [member["recipient_id"] for member in listed["data"]]


async def test_a_stranger_finds_no_campaign_to_add_to(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    campaign, hers = await a_campaign(engine, alice.workspace_id), await a_recipient(engine, alice.workspace_id)
    his = await a_recipient(engine, charlie.workspace_id)
    await add(alice, campaign, hers)
    place = f"/v1/campaigns/{campaign}/recipients"
    replies = [
        await charlie.api.post(place, json={"recipient_ids": [his, hers]}),
        await charlie.api.get(place),
        await charlie.api.delete(f"{place}/{hers}"),
    ]
    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(404, "campaign_not_found")] * 3
    assert await members(alice, campaign) == [hers]


async def test_another_workspaces_recipient_is_as_unknown_as_one_never_made_or_deleted(
    alice: Tenant, charlie: Tenant, engine: Engine
) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    foreign, never = await a_recipient(engine, charlie.workspace_id), f"rcpt_{uuid4().hex}"
    deleted = await a_recipient(engine, alice.workspace_id, deleted_at=datetime.now(UTC))
    hers = await a_recipient(engine, alice.workspace_id)
    found = await add(alice, campaign, foreign, hers, never, deleted)
    assert (found["added"], found["already"], found["unknown"]) == (1, 0, 3)
    assert found["results"] == [
        {"recipient_id": foreign, "result": "unknown"},
        {"recipient_id": hers, "result": "added"},
        {"recipient_id": never, "result": "unknown"},
        {"recipient_id": deleted, "result": "unknown"},
    ]
    assert await members(alice, campaign) == [hers]


async def test_adding_twice_adds_once(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    first, second = [await a_recipient(engine, alice.workspace_id) for _ in range(2)]
    assert (await add(alice, campaign, first, first))["results"] == [{"recipient_id": first, "result": "added"}]
    again = await add(alice, campaign, first, second)
    assert (again["added"], again["already"], again["unknown"]) == (1, 1, 0)
    assert sorted(await members(alice, campaign)) == sorted([first, second])


async def test_callers_who_add_the_same_people_in_other_orders_do_not_deadlock(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    people = [await a_recipient(engine, alice.workspace_id) for _ in range(40)]
    found = await asyncio.gather(*(add(alice, campaign, *people[::step]) for step in (1, -1, 1, -1)))
    assert sum(one["added"] for one in found) == 40
    assert sum(one["already"] for one in found) == 120


async def test_removing_takes_one_out(alice: Tenant, engine: Engine) -> None:
    campaign, recipient = await a_campaign(engine, alice.workspace_id), await a_recipient(engine, alice.workspace_id)
    await add(alice, campaign, recipient)
    place = f"/v1/campaigns/{campaign}/recipients/{recipient}"
    assert (await alice.api.delete(place)).status_code == 204
    assert await members(alice, campaign) == []
    assert (await alice.api.delete(place)).json()["code"] == "campaign_recipient_not_found"
    assert (await add(alice, campaign, recipient))["added"] == 1


async def test_members_are_paged(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    people = [await a_recipient(engine, alice.workspace_id) for _ in range(3)]
    await add(alice, campaign, *people)
    place = f"/v1/campaigns/{campaign}/recipients"
    page = (await alice.api.get(place, params={"limit": 2})).json()
    rest = (await alice.api.get(place, params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert len(page["data"]) == 2
    listed = [one["recipient_id"] for one in [*page["data"], *rest["data"]]]
    assert listed == sorted(people, reverse=True)
    assert rest["next_cursor"] is None


async def test_an_archived_campaign_keeps_its_people(alice: Tenant, engine: Engine) -> None:
    campaign, recipient = await a_campaign(engine, alice.workspace_id), await a_recipient(engine, alice.workspace_id)
    await add(alice, campaign, recipient)
    for move in ("complete", "archive"):
        assert (await alice.api.post(f"/v1/campaigns/{campaign}/{move}")).status_code == 200
    place = f"/v1/campaigns/{campaign}/recipients"
    replies = [
        await alice.api.post(place, json={"recipient_ids": [recipient]}),
        await alice.api.delete(f"{place}/{recipient}"),
    ]
    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(409, "campaign_field_fixed")] * 2
    assert await members(alice, campaign) == [recipient]


@pytest.mark.parametrize(
    "ids",
    [
        [],
        ["rcpt_1"],
        [f"camp_{uuid4().hex}"],
        [f"RCPT_{uuid4().hex}"],
        [None],
        "x",
        None,
        [f"rcpt_{uuid4().hex}"] * 501,
    ],
)
async def test_what_is_no_list_of_recipients_is_refused(alice: Tenant, engine: Engine, ids: object) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    reply = await alice.api.post(f"/v1/campaigns/{campaign}/recipients", json={"recipient_ids": ids})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"].startswith("/recipient_ids")
