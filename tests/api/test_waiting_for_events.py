"""Long polls of the feed: they end as soon as there is something, and cost the database nothing until then."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from app.api.event_watch import WAITING_PER_KEY
from app.db.engine import Engine
from tests.api.test_events import of, record
from tests.builders import a_campaign
from tests.conftest import Tenant, a_tenant, running_app
from tests.wire import wire_to
from tests.workers.scene import until

PATIENCE_SECONDS = 5  # far less than the callers here are ready to wait


class Waiting:
    """A caller that waits for 30 seconds, if nothing happens."""

    def __init__(self, tenant: Tenant, **parameters: Any) -> None:
        asked = tenant.api.get("/v1/events", params={"cursor": "end", "wait_seconds": 30, **parameters})
        self.task = asyncio.create_task(asked)

    async def reply(self) -> httpx.Response:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.task

    async def told(self) -> list[tuple[str, str]]:
        reply = await self.reply()
        assert reply.status_code == 200, reply.text
        return of(reply.json())


async def all_wait(app: FastAPI, count: int) -> None:
    async def are_there() -> bool:
        await asyncio.sleep(0)
        return len(app.state.services.event_watch._waiting) == count

    await until(are_there)


async def test_whoever_waits_is_told_when_it_happens(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    waiting = Waiting(alice)
    await all_wait(app, 1)
    recorded = await record(alice, campaign)
    assert await waiting.told() == [("response.created", recorded)]


async def test_what_is_there_already_is_told_at_once(alice: Tenant, engine: Engine) -> None:
    recorded = await record(alice, await a_campaign(engine, alice.workspace_id))
    reply = await alice.api.get("/v1/events", params={"wait_seconds": 30})
    assert of(reply.json()) == [("response.created", recorded)]


async def test_events_that_nobody_asked_for_wake_nobody(
    alice: Tenant, charlie: Tenant, app: FastAPI, engine: Engine
) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    waiting = Waiting(alice, type="response.detractor")
    await all_wait(app, 1)
    await record(charlie, await a_campaign(engine, charlie.workspace_id), score=0)
    await record(alice, campaign, score=9)
    detractor = await record(alice, campaign, score=0)
    assert await waiting.told() == [("response.created", detractor)]


async def test_when_the_time_is_up_there_is_a_place_to_go_on_from(alice: Tenant, engine: Engine) -> None:
    empty = (await alice.api.get("/v1/events", params={"wait_seconds": 1})).json()
    assert empty["data"] == []
    recorded = await record(alice, await a_campaign(engine, alice.workspace_id))
    page = (await alice.api.get("/v1/events", params={"cursor": empty["next_cursor"], "wait_seconds": 30})).json()
    assert of(page) == [("response.created", recorded)]


async def test_to_wait_as_was_asked_for_is_not_counted_as_being_slow(alice: Tenant) -> None:
    def seconds() -> float:
        return REGISTRY.get_sample_value("zeroten_http_request_seconds_sum", {"route": "/v1/events"}) or 0.0

    before = seconds()
    assert (await alice.api.get("/v1/events", params={"cursor": "end", "wait_seconds": 1})).status_code == 200
    assert seconds() - before < 0.9


async def test_those_who_wait_hold_no_connection(alice: Tenant, app: FastAPI) -> None:
    waiting = [Waiting(alice) for _ in range(WAITING_PER_KEY)]
    await all_wait(app, WAITING_PER_KEY)
    pool = app.state.services.engine.raw.pool
    assert pool.size() < WAITING_PER_KEY

    async def is_idle() -> bool:
        await asyncio.sleep(0)
        return pool.checkedout() == 0

    await until(is_idle)
    for one in waiting:
        one.task.cancel()
    await all_wait(app, 0)


async def test_a_key_has_so_many_seats_and_gets_them_back(alice: Tenant, charlie: Tenant, app: FastAPI) -> None:
    waiting = [Waiting(alice) for _ in range(WAITING_PER_KEY)]
    await all_wait(app, WAITING_PER_KEY)
    refused = await Waiting(alice).reply()
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_waiting")
    assert "retry-after" in refused.headers
    assert (await alice.api.get("/v1/events")).status_code == 200
    other = Waiting(charlie)
    await all_wait(app, WAITING_PER_KEY + 1)
    for one in (*waiting, other):
        one.task.cancel()
    await all_wait(app, 0)
    assert (await alice.api.get("/v1/events", params={"wait_seconds": 1})).status_code == 200
    assert not app.state.services.event_watch._seats


async def test_a_process_about_to_stop_keeps_nobody_waiting(own_database_url: str, own_engine: Engine) -> None:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        waiting = Waiting(alice)
        await all_wait(app, 1)
        app.state.services.event_watch.close()
        assert await waiting.told() == []
        assert await Waiting(alice).told() == []


async def test_without_a_database_those_who_wait_are_told_so(own_database_url: str, own_engine: Engine) -> None:
    async with (
        wire_to(own_database_url) as wire,
        running_app(wire.url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        waiting = Waiting(alice)
        await all_wait(app, 1)
        await wire.cut()
        assert (await waiting.reply()).status_code == 503


@pytest.mark.parametrize("seconds", [-1, 31, "long"])
async def test_nobody_waits_for_ever(alice: Tenant, seconds: Any) -> None:
    assert (await alice.api.get("/v1/events", params={"wait_seconds": seconds})).status_code == 422
