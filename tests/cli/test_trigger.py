"""`zeroten trigger`: what it says happened did happen, in the test workspace and nowhere else."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from app.cli.trigger import CAMPAIGN, STORIES
from app.db.engine import Engine
from app.domain.events import BAND_ALIASES, EventType
from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from app.workers.import_recipients import run_next_import
from tests.cli.command import here, zeroten
from tests.conftest import Tenant, a_tenant, client, running_app
from tests.served import served

# Endpoints are the caller's own.
WITHOUT_A_STORY = ("endpoint.", "delivery.")
LATER = "import.completed"


@pytest.fixture
async def key_of_test(alice: Tenant, engine: Engine) -> str:
    return await a_key(engine, alice)


async def a_key(engine: Engine, tenant: Tenant) -> str:
    now, workspace_id = datetime.now(UTC), tenant.test_workspace_id
    async with engine.write() as tx:
        key = await issue_key(tx, workspace_id, mode="test", kind=KeyKind.SECRET, name="trigger", now=now)
    return key.token


@pytest.fixture
async def api(app: FastAPI, key_of_test: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, key_of_test) as api:
        yield api


async def trigger(app: FastAPI, event: str, key: str, *, alone: bool = False) -> subprocess.CompletedProcess[str]:
    run = zeroten if alone else here
    async with served(app) as url:
        return await asyncio.to_thread(run, "trigger", event, "--url", url, ZEROTEN_KEY=key)


def test_every_event_that_can_be_made_has_a_story() -> None:
    wanted = {*EventType, *BAND_ALIASES}
    assert set(STORIES) == {name for name in wanted if not name.startswith(WITHOUT_A_STORY)}


@pytest.mark.parametrize("event", [event for event in STORIES if event != LATER])
async def test_every_story_makes_its_event_happen(
    app: FastAPI, api: httpx.AsyncClient, key_of_test: str, event: str
) -> None:
    said = await trigger(app, event, key_of_test)
    assert said.returncode == 0, said
    (told,) = (await api.get("/v1/events", params={"type": event})).json()["data"]
    assert told["livemode"] is False
    thing = event.partition(".")[0]
    assert told["data"][thing]["id"] == dict(re.findall(r"(\w+) +(\w+_\w{32})", said.stdout))[thing]


async def test_an_import_happens_when_a_worker_comes_by(own_database_url: str, own_engine: Engine) -> None:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        key = await a_key(own_engine, alice)
        said = await trigger(app, LATER, key)
        assert said.returncode == 0, said
        hmac_key = await app.state.services.address_key.read()
        assert await run_next_import(own_engine, hmac_key=hmac_key, lease_seconds=25)
        async with client(app, key) as api:
            (told,) = (await api.get("/v1/events", params={"type": LATER})).json()["data"]
    assert told["data"]["import"]["id"] in said.stdout
    assert told["data"]["import"]["rows"]["created"] == 1


async def test_again_it_is_another_answer_in_the_same_campaign(
    app: FastAPI, api: httpx.AsyncClient, key_of_test: str
) -> None:
    for _ in range(2):
        assert (await trigger(app, "response.detractor", key_of_test, alone=True)).returncode == 0
    responses = (await api.get("/v1/responses", params={"band": "detractor"})).json()["data"]
    (campaign,) = (await api.get("/v1/campaigns")).json()["data"]
    assert [response["campaign_id"] for response in responses] == [campaign["id"]] * 2
    assert campaign["name"] == CAMPAIGN
    assert len({response["recipient_id"] for response in responses}) == 1


async def test_a_live_workspace_is_left_alone(app: FastAPI, alice: Tenant) -> None:
    said = await trigger(app, "response.detractor", alice.secret_key)
    assert (said.returncode, said.stdout) == (1, "")
    assert "This key is for a live workspace" in said.stderr
    assert (await alice.api.get("/v1/events")).json()["data"] == []


async def test_what_has_no_story_is_refused(app: FastAPI, key_of_test: str) -> None:
    said = await trigger(app, "response.exploded", key_of_test)
    assert said.returncode == 1
    assert "There are: response.created, response.promoter" in said.stderr


def test_a_service_that_is_not_there_is_told_in_one_line() -> None:
    said = here("trigger", "response.promoter", "--url", "http://127.0.0.1:9", ZEROTEN_KEY="zt_sk_test_x")
    assert said.returncode == 1
    assert said.stderr == "zeroten: http://127.0.0.1:9 does not answer (ClientConnectorError).\n"
