"""The feed: nothing skipped, nothing twice, and a place to go on from even when there is nothing."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import events
from app.domain.ids import parsed, shown
from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from tests.builders import a_campaign, an_answer
from tests.conftest import Tenant, a_tenant, client, running_app


async def read(tenant: Tenant, **parameters: Any) -> dict[str, Any]:
    reply = await tenant.api.get("/v1/events", params=parameters)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def record(tenant: Tenant, campaign: str, **fields: Any) -> str:
    reply = await tenant.api.post("/v1/responses", json=an_answer(campaign, **fields))
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def of(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event["type"], event["data"]["response"]["id"]) for event in page["data"]]


@asynccontextmanager
async def an_open_transaction(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await connection.close()


async def test_another_workspaces_events_are_not_there(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    (event,) = (await read(alice))["data"]
    assert (await read(charlie))["data"] == []
    assert (await read(charlie, campaign_id=campaign))["data"] == []
    reply = await charlie.api.get(f"/v1/events/{event['id']}")
    assert (reply.status_code, reply.json()["code"]) == (404, "event_not_found")
    assert (await alice.api.get(f"/v1/events/{event['id']}")).json() == event


async def test_pages_follow_one_another_without_a_gap(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    recorded = [await record(alice, campaign) for _ in range(7)]
    seen: list[str] = []
    page = await read(alice, limit=3)
    while page["data"]:
        seen += [response for _, response in of(page)]
        page = await read(alice, limit=3, cursor=page["next_cursor"])
    assert seen == recorded
    late = await record(alice, campaign)
    assert of(await read(alice, cursor=page["next_cursor"])) == [("response.created", late)]


async def test_there_is_always_a_place_to_go_on_from(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    empty = await read(alice)
    assert empty["data"] == []
    recorded = await record(alice, campaign)
    assert of(await read(alice, cursor=empty["next_cursor"])) == [("response.created", recorded)]


async def test_an_event_committed_late_is_not_skipped(own_database_url: str, own_engine: Engine) -> None:
    """Its transaction began, and took its id, before others that were committed and read meanwhile."""
    async with (
        running_app(own_database_url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
        an_open_transaction(own_database_url) as late,
    ):
        event_id = new_id(datetime.now(UTC))
        await late.execute(
            "INSERT INTO events (workspace_id, id, type, occurred_at, body)"
            """ VALUES ($1, $2, 'response.created', now(), '{"response": {"id": "late"}}')""",
            alice.workspace_id, event_id,
        )  # fmt: skip
        campaign = await a_campaign(own_engine, alice.workspace_id)
        early = await record(alice, campaign)
        seen, cursor = await follow(alice, None)
        assert seen == []  # it must not be passed by
        await late.execute("COMMIT")
        seen, cursor = await follow(alice, cursor)
        assert sorted(seen) == sorted([("response.created", "late"), ("response.created", early)])


async def follow(tenant: Tenant, cursor: str | None) -> tuple[list[tuple[str, str]], str]:
    """All there is to see from there, one event a page, and where to go on."""
    seen: list[tuple[str, str]] = []
    while True:
        page = await read(tenant, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += of(page)
        cursor = page["next_cursor"]
        if not page["data"]:
            return seen, cursor


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        (["response.created"], ["detractor", "promoter"]),
        (["response.detractor"], ["detractor", "won back"]),
        (["response.promoter"], ["promoter", "won back"]),
        (["response.passive"], []),
        (["response.band_changed", "campaign.created"], ["won back"]),
        (["response.passive", "response.updated"], ["commented"]),
    ],
)
async def test_types_filter_as_in_webhook_endpoints(
    alice: Tenant, engine: Engine, types: list[str], wanted: list[str]
) -> None:
    made = {
        "detractor": {"type": "response.created", "band": "detractor"},
        "promoter": {"type": "response.created", "band": "promoter"},
        "won back": {"type": "response.band_changed", "band": "promoter", "previous_band": "detractor"},
        "commented": {"type": "response.updated", "band": "detractor"},
    }
    now = datetime.now(UTC)
    async with engine.write() as tx:
        for name, fields in made.items():
            row = {"workspace_id": alice.workspace_id, "id": new_id(now), "occurred_at": now, "body": {"name": name}}
            await tx.execute(insert(events).values({**row, **fields}))
    assert sorted(event["data"]["name"] for event in (await read(alice, type=types))["data"]) == wanted


async def test_a_campaign_filters(alice: Tenant, engine: Engine) -> None:
    orders, stores = [await a_campaign(engine, alice.workspace_id) for _ in range(2)]
    await record(alice, orders)
    in_stores = await record(alice, stores)
    assert of(await read(alice, campaign_id=stores)) == [("response.created", in_stores)]


async def test_a_rare_filter_does_not_read_everything_again(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    first = await read(alice, type="campaign.completed")
    await record(alice, campaign)
    second = await read(alice, type="campaign.completed", cursor=first["next_cursor"])
    assert first["data"] == second["data"] == []
    assert int(place_in(second["next_cursor"])["t"]) > int(place_in(first["next_cursor"])["t"])


async def test_events_older_than_thirty_days_are_no_longer_shown(alice: Tenant, engine: Engine) -> None:
    now = datetime.now(UTC)
    row = {"workspace_id": alice.workspace_id, "id": new_id(now), "type": "recipient.created", "body": {}}
    async with engine.write() as tx:
        await tx.execute(
            insert(events).values({**row, "occurred_at": now, "created_at": now - timedelta(days=30, seconds=1)})
        )
    assert (await read(alice))["data"] == []
    assert (await alice.api.get(f"/v1/events/{shown('event', row['id'])}")).status_code == 404


async def test_a_link_says_where_to_go_on(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    reply = await alice.api.get("/v1/events", params={"limit": 1, "type": "response.created"})
    link = reply.links["next"]["url"]
    assert reply.json()["next_cursor"] in link
    assert "type=response.created" in link
    assert (await alice.api.get(link)).json()["data"] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"cursor": "nonsense"},
        {"cursor": base64.urlsafe_b64encode(json.dumps({"id": UUID(int=1).hex}).encode()).decode()},
        {"type": "response.exploded"},
        {"type": ["response.created"] * 200},
        {"limit": 501},
        {"limit": 0},
        {"campaign_id": "camp_1"},
        {"campaign_id": "resp_0198c1f2a7b3708c9d4e5f60718293a4"},
    ],
)
async def test_bad_parameters_are_refused(alice: Tenant, parameters: dict[str, Any]) -> None:
    assert (await alice.api.get("/v1/events", params=parameters)).status_code == 422


async def test_a_test_workspace_says_that_it_is_not_live(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.test_workspace_id)
    async with engine.write() as tx:
        key = await issue_key(
            tx, alice.test_workspace_id, mode="test", kind=KeyKind.SECRET, name="x", now=datetime.now(UTC)
        )
    async with client(app, key.token) as api:
        await api.post("/v1/responses", json=an_answer(campaign))
        (event,) = (await api.get("/v1/events")).json()["data"]
    assert event["livemode"] is False
    assert parsed("workspace", event["workspace_id"]) == alice.test_workspace_id


def place_in(cursor: str) -> dict[str, str]:
    return dict(json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))


async def test_without_a_key_nothing_is_told(alice: Tenant, app: FastAPI) -> None:
    async with client(app) as stranger:
        assert (await stranger.get("/v1/events")).status_code == 401
