"""What the outermost layer promises holds on every route, also on those that skip the framework's machinery."""

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from app.db.engine import Engine
from tests.conftest import Tenant, a_tenant, client, running_app
from tests.contract import operation_of, operations, the_document
from tests.house.premises import CALLS, House, call_of, make
from tests.wire import wire_to

EVERY = {operation["operationId"]: (method, path, operation) for method, path, operation in operations(the_document())}
OF_THE_API = sorted(CALLS)
WITH_JSON = [
    name for name in OF_THE_API if "application/json" in EVERY[name][2].get("requestBody", {}).get("content", {})
]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FOR_BROWSERS = "record_widget_response"
UNCAPPED = "import_recipients"  # has a cap of its own


def fitting(tenant: Tenant, name: str) -> dict[str, Any]:
    return {"params": {"key": tenant.publishable_key}} if name == FOR_BROWSERS else {}


async def ask(house: House, name: str, tenant: Tenant, **overrides: Any) -> httpx.Response:
    method, path, _ = EVERY[name]
    async with client(house.app, None if name == FOR_BROWSERS else tenant.secret_key) as api:
        call = call_of(name, house.ids)
        return await make(api, method, path, call, house.ids, **{**fitting(tenant, name), **overrides})


def problem(reply: httpx.Response) -> tuple[int, str]:
    """That it is one, and belongs to the reply, is checked by the client."""
    return reply.status_code, reply.json()["code"]


@pytest.fixture
async def charlie(house: House) -> AsyncIterator[Tenant]:
    async with a_tenant(house.app, house.engine, "Charlie") as tenant:
        yield tenant


@pytest.mark.parametrize("name", sorted(set(EVERY) - {UNCAPPED}))
async def test_a_body_that_is_too_large_is_refused(house: House, name: str) -> None:
    method, path, _ = EVERY[name]
    async with client(house.app) as stranger:
        place = re.sub(r"\{\w+\}", "1", path)
        reply = await stranger.request(method, place, content=b" " * 1_000_001)
    assert problem(reply) == (413, "body_too_large")


@pytest.mark.parametrize("name", WITH_JSON)
async def test_a_body_without_an_announced_length_is_measured_too(house: House, charlie: Tenant, name: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(2_000):
            yield b" " * 1_000

    headers = {"content-type": "application/json", **call_of(name, house.ids).headers}
    reply = await ask(house, name, charlie, json=None, content=endless(), headers=headers)
    assert problem(reply) == (413, "body_too_large")


@pytest.mark.parametrize("name", [name for name in WITH_JSON if name != FOR_BROWSERS])
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_only_json_is_json(house: House, charlie: Tenant, name: str, media_type: str) -> None:
    reply = await ask(house, name, charlie, headers={"content-type": media_type})
    assert problem(reply) == (415, "unsupported_media_type")


@pytest.mark.parametrize("name", WITH_JSON)
async def test_a_body_that_is_packed_is_refused(house: House, charlie: Tenant, name: str) -> None:
    packed = gzip.compress(json.dumps(call_of(name, house.ids).json).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip", **call_of(name, house.ids).headers}
    reply = await ask(house, name, charlie, json=None, content=packed, headers=headers)
    assert problem(reply) == (415, "unsupported_content_encoding")
    assert "gzip" in reply.json()["detail"]


async def test_a_body_that_is_said_to_be_as_it_is_is_read(house: House, charlie: Tenant) -> None:
    reply = await ask(house, "upsert_account", charlie, headers={"content-encoding": "identity"})
    assert reply.status_code == 201


async def test_the_parameters_of_a_media_type_do_not_matter(house: House, charlie: Tenant) -> None:
    reply = await ask(house, "upsert_account", charlie, headers={"content-type": 'Application/JSON; charset="utf-8"'})
    assert reply.status_code == 201


@pytest.mark.parametrize("path", sorted({path for _, path, _ in EVERY.values()}))
async def test_a_wrong_method_is_told_the_right_ones(house: House, path: str) -> None:
    place = re.sub(r"\{\w+\}", "1", path)
    async with client(house.app) as stranger:
        for method in METHODS:
            if operation_of(method, place) is None:
                reply = await stranger.request(method, place)
                assert problem(reply) == (405, "method_not_allowed")
                assert {*reply.headers["allow"].split(", ")} - {"OPTIONS"} == {
                    right for right in METHODS if operation_of(right, place) is not None
                }


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/nothing", "/v2/campaigns", "/v1/campaigns/", "//v1/campaigns"]
)
async def test_an_unknown_path_is_a_problem_document(house: House, path: str) -> None:
    async with client(house.app) as stranger:
        for method in ("GET", "POST", "DELETE"):
            reply = await stranger.request(method, f"http://zeroten.test{path}")
            assert problem(reply) == (404, "route_not_found")
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.json()["request_id"] == reply.headers["x-request-id"]


async def test_no_two_replies_have_the_same_id(house: House) -> None:
    async with client(house.app) as stranger:
        ids = [(await stranger.get("/livez")).headers["x-request-id"] for _ in range(10)]
    assert len(set(ids)) == 10


@pytest.fixture(scope="module")
async def slow_house(house: House) -> AsyncIterator[House]:
    """The same database behind a process that lets a key do one thing a second, and two at once."""
    limits = {"rate_limit_per_second": 1, "public_rate_limit_per_second": 1}
    async with running_app(house.engine.url, **limits) as app:
        yield House(app, house.engine, house.alice, house.ids, house.cursors)


@pytest.mark.parametrize("name", OF_THE_API)
async def test_a_key_that_asks_too_often_has_to_wait(slow_house: House, charlie: Tenant, name: str) -> None:
    replies = [await ask(slow_house, name, charlie) for _ in range(4)]
    assert replies[0].status_code != 429
    assert problem(replies[-1]) == (429, "rate_limited")
    headers = replies[-1].headers
    assert (headers["retry-after"], headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("1", "2", "0")
    assert headers["ratelimit-policy"] == "2;w=2"
    assert (
        replies[-1].json()["detail"].startswith("This key may send 2 requests at once to one process, and 1 a second.")
    )


@pytest.mark.parametrize("name", OF_THE_API)
async def test_our_own_mistakes_are_problem_documents_without_a_reason(
    house: House, charlie: Tenant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(house.app.state.services.keyring, "caller", mistaken)
    reply = await ask(house, name, charlie)
    assert problem(reply) == (500, "unexpected")
    assert "secret" not in reply.text


OF_NO_DATABASE = {"list_survey_templates", "get_survey_template", "get_sample_size"}


async def test_without_its_database_every_route_says_come_back(own_database_url: str) -> None:
    """All at once, since the answers in the lane wait five seconds for it to return."""
    async with wire_to(own_database_url) as wire, running_app(wire.url) as app:
        engine = Engine(own_database_url)
        async with a_tenant(app, engine, "Alice") as alice:
            await engine.close()
            house = House(
                app, engine, alice, {name: f"{prefix}_{uuid4().hex}" for name, prefix in PREFIXES.items()}, {}
            )
            app.state.services.keyring.remembered_seconds = 600.0  # a busy machine takes longer than usual
            await alice.api.get("/v1/campaigns")  # the key is known from now on
            await wire.cut()
            needing = [name for name in OF_THE_API if name not in OF_NO_DATABASE]
            asked = [ask(house, name, alice) for name in needing]
            *replies, readyz = await asyncio.gather(*asked, alice.api.get("/readyz"))
    found = dict(zip(needing, replies, strict=True))
    rows = found.pop("record_responses_in_bulk").json()["results"]
    assert {row["problem"]["code"] for row in rows} == {"overloaded"}
    assert {name: problem(reply) for name, reply in found.items()} == dict.fromkeys(found, (503, "overloaded"))
    assert problem(readyz) == (503, "not_ready")
    assert all(reply.headers["retry-after"] for reply in [*found.values(), readyz])


PREFIXES: Mapping[str, str] = {
    "campaign_id": "camp", "recipient_id": "rcpt", "account_id": "acct", "response_id": "resp", "import_id": "imp",
    "event_id": "evt", "endpoint_id": "ep", "delivery_id": "dlv", "api_key_id": "key", "key": "plan",
    "replay_id": "rply", "mail_source_id": "msrc", "invitation_id": "inv", "touchpoint_id": "tp", "template_key": "tpl",
    "question_id": "why", "authorization_id": "auth",
}  # fmt: skip


def test_every_route_is_one_of_these(app: FastAPI) -> None:
    assert {name for name, (_, path, _) in EVERY.items() if path.startswith("/v1/")} == set(OF_THE_API)
    assert set(EVERY) - set(OF_THE_API) == {"livez", "readyz", "metrics", "explain_problem"}
