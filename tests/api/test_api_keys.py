import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import authentication
from app.db.engine import Engine
from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from tests.conftest import Tenant, client, running_app

PUBLISHABLE = {"name": "shop", "kind": "publishable", "allowed_origins": ["https://shop.example"]}


async def create(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    reply = await tenant.api.post("/v1/api-keys", json={"name": "key", "scopes": ["campaigns:read"], **fields})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            pass


async def test_another_workspaces_key_is_not_found(alice: Tenant, charlie: Tenant) -> None:
    key = await create(alice)
    assert (await charlie.api.get(f"/v1/api-keys/{key['id']}")).json()["code"] == "api_key_not_found"
    assert (await charlie.api.delete(f"/v1/api-keys/{key['id']}")).status_code == 404
    assert key["id"] not in [one["id"] for one in (await charlie.api.get("/v1/api-keys")).json()["data"]]
    assert (await alice.api.get(f"/v1/api-keys/{key['id']}")).json()["revoked_at"] is None


async def test_the_key_is_shown_once_and_works(alice: Tenant, app: FastAPI) -> None:
    key = await create(alice, scopes=["workspace:read"])
    assert key["token"].startswith("zt_sk_live_")
    assert key["hint"] == f"zt_sk_live_…{key['token'][-4:]}"
    async with client(app, key["token"]) as api:
        assert (await api.get("/v1/workspace")).status_code == 200
        assert (await api.get("/v1/api-keys")).json()["code"] == "scope_missing"
    later = (await alice.api.get(f"/v1/api-keys/{key['id']}")).json()
    assert "token" not in later
    assert later["last_used_at"] is not None
    assert key["token"] not in (await alice.api.get("/v1/api-keys")).text


async def test_a_publishable_key_keeps_origins_as_browsers_spell_them(alice: Tenant) -> None:
    origins = ["HTTPS://Shop.Example:443", "http://localhost:5173", "https://[::1]:8443", "*"]
    key = await create(alice, **{**PUBLISHABLE, "allowed_origins": origins, "scopes": []})
    assert key["token"].startswith("zt_pk_live_")
    assert key["allowed_origins"] == ["https://shop.example", "http://localhost:5173", "https://[::1]:8443", "*"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example/", "https://shop.example/path", "shop.example", "//shop.example", "https://", "null", "",
        "https://*.shop.example", "https://a b", "https://shop.example:0", "https://shop.example:65536", "https://u@x",
        "https://x?y", "https://x#y", "https://x\n", " https://x", "https://x.", "https://" + "x" * 300, 7, None,
    ],
)  # fmt: skip
async def test_what_is_no_origin_is_refused(alice: Tenant, origin: object) -> None:
    reply = await alice.api.post("/v1/api-keys", json={**PUBLISHABLE, "allowed_origins": [origin]})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == "/allowed_origins/0"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["campaigns:own"]}, "/scopes/0"),
        ({"scopes": ["campaigns:read"], "allowed_origins": ["*"]}, "/allowed_origins"),
        ({**PUBLISHABLE, "allowed_origins": []}, "/allowed_origins"),
        ({**PUBLISHABLE, "scopes": ["campaigns:read"]}, "/scopes"),
        ({"scopes": ["*"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"scopes": ["*"], "expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at"),
        ({"scopes": ["*"], "expires_at": "2030-01-01T00:00:00"}, "/expires_at"),
        ({"scopes": ["*"], "expires_at": 1900000000}, "/expires_at"),
        ({"scopes": ["*"], "kind": "root"}, "/kind"),
        ({"scopes": ["*"], "mode": "test"}, "/mode"),
        ({"scopes": ["*"], "name": " "}, "/name"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(alice: Tenant, fields: dict[str, Any], pointer: str) -> None:
    reply = await alice.api.post("/v1/api-keys", json={"name": "key", **fields})
    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.json()["errors"]] == [pointer]


async def test_a_key_cannot_grant_what_it_may_not_do_itself(alice: Tenant, app: FastAPI) -> None:
    minor = await create(alice, scopes=["keys:write", "scores:read"])
    async with client(app, minor["token"]) as api:
        for scopes in (["*"], ["scores:read", "responses:write"]):
            reply = await api.post("/v1/api-keys", json={"name": "major", "scopes": scopes})
            assert (reply.status_code, reply.json()["code"]) == (403, "scope_not_held")
        assert (await api.post("/v1/api-keys", json=PUBLISHABLE)).json()["scopes"] == ["responses:write"]
        assert (await api.post("/v1/api-keys", json={"name": "x", "scopes": ["scores:read"]})).status_code == 201


async def test_keys_are_listed_newest_first_in_pages(alice: Tenant) -> None:
    made = [(await create(alice))["id"] for _ in range(3)]
    page = (await alice.api.get("/v1/api-keys", params={"limit": 2})).json()
    assert [key["id"] for key in page["data"]] == made[:0:-1]
    rest = (await alice.api.get("/v1/api-keys", params={"limit": 500, "cursor": page["next_cursor"]})).json()
    assert sorted(key["name"] for key in rest["data"]) == ["key", "tests", "widget"]
    assert rest["next_cursor"] is None


async def test_revoking_twice_is_as_good_as_once(alice: Tenant) -> None:
    key = await create(alice)
    assert (await alice.api.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    since = (await alice.api.get(f"/v1/api-keys/{key['id']}")).json()["revoked_at"]
    assert since is not None
    assert (await alice.api.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    assert (await alice.api.get(f"/v1/api-keys/{key['id']}")).json()["revoked_at"] == since


async def test_a_revoked_key_is_refused_by_every_process(alice: Tenant, database_url: str) -> None:
    assert authentication.REMEMBERED_SECONDS <= 4.5
    token = (await create(alice, scopes=["workspace:read"]))["token"]
    key_id = (await alice.api.get("/v1/api-keys")).json()["data"][0]["id"]
    async with running_app(database_url) as one, running_app(database_url) as other:
        for process in (one, other):
            process.state.services.keyring.remembered_seconds = 0.3
        async with client(one, token) as here, client(other, token) as there:
            replies = [await api.get("/v1/workspace") for api in (here, there)]
            assert [reply.status_code for reply in replies] == [200, 200]
            await alice.api.delete(f"/v1/api-keys/{key_id}")
            for api in (here, there):
                await until(lambda api=api: _is_refused(api))  # type: ignore[misc]  # a lambda's default


async def _is_refused(api: httpx.AsyncClient) -> bool:
    reply = await api.get("/v1/workspace")
    assert reply.status_code in {200, 401}
    return reply.status_code == 401


async def test_a_key_stops_at_its_expiry_although_it_is_remembered(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    async with engine.write() as tx:
        key = await issue_key(
            tx,
            alice.workspace_id,
            mode="live",
            kind=KeyKind.SECRET,
            name="short",
            expires_at=soon,
            now=datetime.now(UTC),
        )
    async with client(app, key.token) as api:
        assert (await api.get("/v1/workspace")).status_code == 200
        await until(lambda: _is_refused(api))
        assert datetime.now(UTC) >= soon


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Bearer zt_sk_live_unknown", "Bearer \u00ff", "Basic",
        "Basic \u00ff\u00ff\u00ff\u00ff",
        "Basic !!!!", "Basic //8=", "Basic enRfc2tfbGl2ZV94Og==", "Token zt_sk_live_x",
    ],
)  # fmt: skip
async def test_without_a_known_key_the_reply_asks_for_one(app: FastAPI, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    async with client(app) as stranger:
        reply = await stranger.get("/v1/workspace", headers=headers)
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert reply.json()["code"] == "unauthorized"


async def test_basic_credentials_carry_the_key_as_user_name(alice: Tenant, app: FastAPI) -> None:
    async with client(app) as api:
        assert (await api.get("/v1/workspace", auth=(alice.secret_key, ""))).status_code == 200
