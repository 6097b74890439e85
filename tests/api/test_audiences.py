"""Counting whom a filter fits, before anybody is asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.audience.audience import FilterTooSlow
from app.domain.audience.audience_selection import FARTHEST_RENEWAL, LONGEST_TENURE, MOST_PER_ACCOUNT, HeldBack
from app.operations.workspaces import create_workspace
from app.queries.audiences import preview_audience
from tests.askings import an_asking
from tests.builders import a_campaign, an_answer
from tests.campaigns import create, patch
from tests.conftest import Tenant
from tests.people import SomeAccount, SomeRecipient, settle

PRO = {"field": "properties.plan", "eq": "pro"}
NOBODY = dict.fromkeys(HeldBack, 0)


async def preview(tenant: Tenant, filter_: Any, **options: Any) -> httpx.Response:
    return await tenant.api.post("/v1/audiences/preview", json={"filter": filter_, **options})


async def made(tenant: Tenant, **fields: Any) -> str:
    reply = await tenant.api.post("/v1/recipients", json=fields)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


async def test_strangers_are_not_counted(alice: Tenant, charlie: Tenant) -> None:
    await made(alice, email="ada@example.com", properties={"plan": "pro"})
    seen = (await preview(charlie, PRO)).json()
    assert (seen["matched"], seen["sample"]) == (0, [])


async def test_it_says_whom_it_fits_and_whom_something_holds_back(alice: Tenant) -> None:
    ada = await made(alice, email="ada@example.com", properties={"plan": "pro"})
    await made(alice, external_id="no-mail", properties={"plan": "pro"})
    await made(alice, email="bob@example.com", properties={"plan": "free"})
    gone = await made(alice, email="gone@example.com", properties={"plan": "pro"})
    await alice.api.post(f"/v1/recipients/{gone}/unsubscribe")
    erased = await made(alice, email="erased@example.com", properties={"plan": "pro"})
    await alice.api.delete(f"/v1/recipients/{erased}")
    assert (await preview(alice, PRO)).json() == {
        "matched": 3,
        "askable": 1,
        "excluded": {**NOBODY, "no_address": 1, "unsubscribed": 1},
        "sample": [ada],
    }


async def test_without_a_filter_it_is_everybody(alice: Tenant) -> None:
    await made(alice, email="ada@example.com")
    assert (await preview(alice, None)).json()["matched"] == 1


async def test_answers_of_a_campaign_can_be_asked_for(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    ada, bob = await made(alice, email="ada@example.com"), await made(alice, email="bob@example.com")
    for person, score in ((ada, 3), (bob, 10)):
        await alice.api.post("/v1/responses", json=an_answer(campaign, recipient_id=person, score=score))
    unhappy = {"field": "last_band", "campaign_id": campaign, "eq": "detractor"}
    assert (await preview(alice, unhappy)).json()["sample"] == [ada]
    assert (await preview(alice, {"not": unhappy})).json()["sample"] == [bob]


async def test_what_holds_people_back_can_be_tried(alice: Tenant, engine: Engine, now: datetime) -> None:
    acme = SomeAccount(renews_on=now.date() + timedelta(days=400))
    near = SomeAccount(renews_on=now.date() + timedelta(days=9))
    people = [*(SomeRecipient(account=acme) for _ in range(3)), SomeRecipient(account=near)]
    await settle(engine, alice.workspace_id, [*people, SomeRecipient(created_at=now)])
    seen = await preview(alice, None, exclude_newer_than_days=3, most_per_account=2, hold_renewal_within_days=10)
    assert seen.json()["excluded"] == {**NOBODY, "too_new": 1, "renewal_near": 1, "account_full": 1}


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("exclude_newer_than_days", 0, LONGEST_TENURE),
        ("most_per_account", 1, MOST_PER_ACCOUNT),
        ("hold_renewal_within_days", 0, FARTHEST_RENEWAL),
    ],
)
async def test_what_a_campaign_can_be_told_can_be_tried(alice: Tenant, name: str, lowest: int, highest: int) -> None:
    draft = await create(alice)
    for value, status in ((lowest - 1, 422), (lowest, 200), (highest, 200), (highest + 1, 422)):
        tried = await preview(alice, None, **{name: value})
        told = await patch(alice, draft, asking=an_asking(**{name: value}))
        assert (tried.status_code, told.status_code) == (status, status)


async def test_the_sample_is_small(alice: Tenant, engine: Engine) -> None:
    await settle(engine, alice.workspace_id, [SomeRecipient() for _ in range(30)])
    seen = (await preview(alice, None)).json()
    assert (seen["matched"], len(seen["sample"])) == (30, 20)


async def test_whom_a_filter_fits_is_listed_page_by_page(alice: Tenant, charlie: Tenant) -> None:
    pros = [await made(alice, external_id=f"pro-{number}", properties={"plan": "pro"}) for number in range(3)]
    await made(alice, external_id="free", properties={"plan": "free"})
    erased = await made(alice, external_id="erased", properties={"plan": "pro"})
    await alice.api.delete(f"/v1/recipients/{erased}")
    first = (await alice.api.post("/v1/recipients/query", json={"filter": PRO}, params={"limit": 2})).json()
    further = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await alice.api.post("/v1/recipients/query", json={"filter": PRO}, params=further)).json()
    assert [one["id"] for one in (*first["data"], *second["data"])] == pros[::-1]
    assert second["next_cursor"] is None
    assert (await charlie.api.post("/v1/recipients/query", json={"filter": PRO})).json()["data"] == []


async def test_history_is_asked_for_in_lists_as_well(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    ada, _ = await made(alice, external_id="ada"), await made(alice, external_id="bob")
    await alice.api.post("/v1/responses", json=an_answer(campaign, recipient_id=ada, score=3))
    for filter_, expected in (({"gte": 1}, [ada]), ({"eq": 0, "campaign_id": campaign}, ["bob"])):
        reply = await alice.api.post("/v1/recipients/query", json={"filter": {"field": "answer_count", **filter_}})
        assert [one["id"] if one["id"] == ada else one["external_id"] for one in reply.json()["data"]] == expected


@pytest.mark.parametrize(
    ("filter_", "code", "pointer"),
    [
        ({"all": [PRO, {"field": "plan", "eq": "pro"}]}, "filter_invalid", "/filter/all/1/field"),
        ([PRO], "validation_failed", "/filter"),
        ({"field": "asked_count", "campaign_id": f"camp_{'0' * 32}", "gt": 0}, "unknown_campaigns", "/filter"),
    ],
)
async def test_what_cannot_be_meant_is_refused(alice: Tenant, filter_: Any, code: str, pointer: str) -> None:
    for refused in (
        await preview(alice, filter_),
        await alice.api.post("/v1/recipients/query", json={"filter": filter_}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert refused.json()["errors"][0]["pointer"] == pointer


async def test_a_strangers_campaign_is_unknown(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    refused = await preview(charlie, {"field": "last_score", "campaign_id": campaign, "lte": 6})
    assert refused.json()["code"] == "unknown_campaigns"


async def test_a_preview_that_takes_too_long_is_given_up(own_engine: Engine) -> None:
    async with own_engine.write() as tx:
        workspace = (await create_workspace(tx, "Alice", time_zone="UTC", now=datetime.now(UTC))).live_id
    async with own_engine.write() as locking:
        await locking.execute(text("LOCK TABLE recipients IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(FilterTooSlow):
            async with own_engine.read() as tx:
                await preview_audience(tx, workspace, None, campaign_id=None, seconds=0.05, now=datetime.now(UTC))
