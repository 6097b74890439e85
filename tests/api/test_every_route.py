"""What holds on all routes, also on those that nobody thought of when this was written."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.config import Settings
from app.db.engine import Engine
from app.domain import ids
from app.domain.keys import KeyKind
from app.main import create_app
from app.operations.api_keys import issue_key, revoke_key
from tests.conftest import Tenant, client

FOR_BROWSERS = "/v1/widget/"  # a publishable key is what these routes want


def routes_in(routes: Sequence[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_in(getattr(getattr(route, "original_router", None), "routes", ()))


API = sorted(
    (method, route.path)
    for route in routes_in(create_app(Settings()).routes)
    for method in route.methods - {"OPTIONS"}
    if route.path.startswith("/v1/")
)
every_route = pytest.mark.parametrize(("method", "path"), API, ids=lambda part: part)


@dataclass(frozen=True)
class BadKeys:
    expired: str
    revoked: str
    without_scopes: str


@pytest.fixture
async def bad_keys(alice: Tenant, engine: Engine) -> BadKeys:
    now = datetime.now(UTC)
    async with engine.write() as tx:
        common: dict[str, Any] = {"mode": "live", "kind": KeyKind.SECRET, "name": "bad", "now": now}
        expired = await issue_key(tx, alice.workspace_id, **common, expires_at=now - timedelta(seconds=1))
        revoked = await issue_key(tx, alice.workspace_id, **common)
        without_scopes = await issue_key(tx, alice.workspace_id, **common, scopes=())
        await revoke_key(tx, alice.workspace_id, revoked.id, now=now)
    return BadKeys(expired.token, revoked.token, without_scopes.token)


# The routes that skip FastAPI's machinery look at the body before the key.
CAMPAIGN = ids.shown("campaign", uuid4())
BODIES: dict[str, Any] = {
    "/v1/responses": {"campaign_id": CAMPAIGN, "score": 9},
    "/v1/responses/bulk": {"responses": [{"campaign_id": CAMPAIGN, "score": 9}]},
    "/v1/widget/responses": {"campaign_id": CAMPAIGN, "client_ref": str(uuid4()), "seq": 1, "score": 9},
}


async def ask(app: FastAPI, method: str, path: str, token: str | None) -> httpx.Response:
    """Well-formed as far as can be known here, so that nothing but the key is to blame."""
    place = re.sub(r"\{(\w+?)(_id)?(:\w+)?\}", lambda name: _id_for(name[1]), path)
    body = {"json": BODIES.get(path, {})} if method in {"POST", "PUT", "PATCH"} else {}
    params = {"key": token} if token and path.startswith(FOR_BROWSERS) else {}
    async with client(app, token) as api:
        return await api.request(method, place, params=params, **body)


def _id_for(name: str) -> str:
    return ids.shown(name, uuid4()) if name in ids.PREFIXES else "1"


def is_problem(reply: httpx.Response, status: int, code: str) -> bool:
    problem = reply.json()
    return (
        (reply.status_code, problem["status"], problem["code"]) == (status, status, code)
        and reply.headers["content-type"] == "application/problem+json"
        and problem["request_id"] == reply.headers["x-request-id"]
    )


def test_the_walk_finds_the_routes() -> None:
    assert {
        ("GET", "/v1/campaigns/{campaign_id}"),
        ("POST", "/v1/responses"),
        ("DELETE", "/v1/api-keys/{api_key_id}"),
    } <= {*API}


def test_every_post_that_makes_something_can_be_repeated_safely() -> None:
    document = create_app(Settings()).openapi()
    posts = {path: methods["post"] for path, methods in document["paths"].items() if "post" in methods}
    lacking = [
        path
        for path, post in posts.items()
        if "201" in post["responses"]
        and path not in BODIES  # repeats of an answer are found by its own means
        and {"$ref": "#/components/parameters/IdempotencyKey"} not in post.get("parameters", ())
    ]
    assert lacking == []


@every_route
async def test_without_a_good_key_nobody_gets_in(app: FastAPI, bad_keys: BadKeys, method: str, path: str) -> None:
    for token in (None, "zt_sk_live_unknown", bad_keys.expired, bad_keys.revoked):
        reply = await ask(app, method, path, token)
        assert is_problem(reply, 401, "unauthorized"), reply.text
        assert reply.headers["www-authenticate"].startswith("Bearer")


@every_route
async def test_a_secret_key_needs_the_routes_scope(app: FastAPI, bad_keys: BadKeys, method: str, path: str) -> None:
    reply = await ask(app, method, path, bad_keys.without_scopes)
    assert is_problem(reply, 403, "publishable_key_needed" if path.startswith(FOR_BROWSERS) else "scope_missing"), (
        reply.text
    )


@pytest.mark.parametrize(("method", "path"), [one for one in API if not one[1].startswith(FOR_BROWSERS)])
async def test_a_publishable_key_opens_no_secret_route(app: FastAPI, alice: Tenant, method: str, path: str) -> None:
    assert is_problem(await ask(app, method, path, alice.publishable_key), 403, "secret_key_needed")
