import asyncio
from itertools import islice
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from app.db.engine import Engine
from app.db.tables import idempotency_keys
from tests.conftest import Tenant, client

BODY = {"name": "robot", "scopes": ["scores:read"]}


async def post(tenant: Tenant, key: str = "k-1", *, body: Any = BODY) -> httpx.Response:
    return await tenant.api.post("/v1/api-keys", json=body, headers={"idempotency-key": key})


async def names(tenant: Tenant) -> list[str]:
    return [key["name"] for key in (await tenant.api.get("/v1/api-keys")).json()["data"]]


async def test_a_strangers_key_of_the_same_text_is_another_key(alice: Tenant, charlie: Tenant) -> None:
    hers, his = await post(alice), await post(charlie)
    assert his.status_code == 201
    assert his.json()["id"] != hers.json()["id"]
    assert "idempotent-replayed" not in his.headers


async def test_a_repeated_key_returns_the_first_thing_without_its_secret(alice: Tenant, engine: Engine) -> None:
    first, second = await post(alice), await post(alice)
    assert second.status_code == first.status_code == 201
    assert second.headers["idempotent-replayed"] == "true"
    assert second.json() == {**first.json(), "token": None}
    assert (await names(alice)).count("robot") == 1
    async with engine.read() as tx:
        stored = (
            await tx.execute(select(idempotency_keys).where(idempotency_keys.c.workspace_id == alice.workspace_id))
        ).one()
    assert first.json()["token"] not in str(stored)


async def test_a_replay_shows_the_thing_as_it_is_now(alice: Tenant) -> None:
    key_id = (await post(alice)).json()["id"]
    await alice.api.delete(f"/v1/api-keys/{key_id}")
    assert (await post(alice)).json()["revoked_at"] is not None


async def test_the_same_json_spelled_otherwise_is_the_same_request(alice: Tenant) -> None:
    first = await post(alice)
    text = '{"scopes" : ["scores:read"],\n "name": "r\\u006fbot"}'
    headers = {"idempotency-key": "k-1", "content-type": "application/json; charset=utf-8"}
    assert (await alice.api.post("/v1/api-keys", content=text, headers=headers)).json()["id"] == first.json()["id"]


async def test_the_same_key_with_another_request_is_refused(alice: Tenant) -> None:
    await post(alice)
    reply = await post(alice, body={**BODY, "name": "another robot"})
    assert (reply.status_code, reply.json()["code"]) == (422, "idempotency_key_reused")
    assert "another robot" not in await names(alice)


async def test_a_refused_call_leaves_its_key_free(alice: Tenant) -> None:
    assert (await post(alice, body={**BODY, "scopes": []})).status_code == 422
    assert (await post(alice, body={**BODY, "scopes": 1})).status_code == 422
    assert (await post(alice)).status_code == 201


async def test_another_api_key_of_the_same_workspace_has_keys_of_its_own(alice: Tenant, app: FastAPI) -> None:
    first = await post(alice)
    colleague = (await alice.api.post("/v1/api-keys", json={"name": "colleague", "scopes": ["*"]})).json()
    async with client(app, colleague["token"]) as api:
        reply = await api.post("/v1/api-keys", json=BODY, headers={"idempotency-key": "k-1"})
    assert reply.status_code == 201
    assert reply.json()["id"] != first.json()["id"]


async def test_of_racing_callers_one_makes_the_thing_and_the_others_are_told(alice: Tenant, engine: Engine) -> None:
    before = await names(alice)
    async with engine.write() as in_the_way:
        await in_the_way.execute(text("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE"))  # holds up the first
        calls = [asyncio.create_task(post(alice, "race")) for _ in range(6)]
        refused = [await call for call in islice(asyncio.as_completed(calls, timeout=4), 5)]
    assert {(reply.status_code, reply.json()["code"]) for reply in refused} == {(409, "idempotency_key_in_use")}
    made = [reply.json() for reply in await asyncio.gather(*calls) if reply.status_code == 201]
    assert [key["token"] is not None for key in made] == [True]
    assert await names(alice) == ["robot", *before]


@pytest.mark.parametrize("key", ["x" * 255, " ~!\"#'", "0"])
async def test_printable_ascii_is_a_key(alice: Tenant, key: str) -> None:
    assert (await post(alice, key)).status_code == 201
    assert (await post(alice, key)).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "grün".encode(), b"\x7f"])
async def test_anything_else_is_refused(alice: Tenant, key: str) -> None:
    reply = await post(alice, key)
    assert (reply.status_code, reply.json()["code"]) == (422, "idempotency_key_unusable")
    assert "robot" not in await names(alice)


async def test_without_a_key_every_call_makes_a_thing(alice: Tenant) -> None:
    for _ in range(2):
        reply = await alice.api.post("/v1/api-keys", json=BODY)
        assert reply.json()["token"] is not None
    assert (await names(alice)).count("robot") == 2
