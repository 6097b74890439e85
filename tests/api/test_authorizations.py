"""Asking somebody to let a connector in, and what becomes of the address they come back to."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from app.db.vault import Vault
from app.operations.authorizations import claim_authorization, grant_authorization
from tests.builders import rows
from tests.conftest import SECRET_KEYS, Tenant, client
from tests.outbound.connectors.test_google_sheets import key_file

ACCOUNTS = "/settings/accounts_url"
PLACE, BACK, ENDPOINTS = "/v1/authorizations", "/oauth/callback", "/v1/webhook-endpoints"
VAULT = Vault.read(SECRET_KEYS)
APP = {"client_id": "app1", "client_secret": "verysecret"}
PAGE = {"cache-control": "no-store", "referrer-policy": "no-referrer", "content-type": "text/html; charset=utf-8"}


async def ask(tenant: Tenant, *, kind: str = "hubspot", **settings: Any) -> dict[str, Any]:
    reply = await tenant.api.post(PLACE, json={"kind": kind, "settings": {**APP, **settings}})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def state_of(asked: dict[str, Any]) -> str:
    return parse_qs(urlsplit(asked["consent_url"]).query)["state"][0]


async def come_back(app: FastAPI, **said: str) -> httpx.Response:
    """As a browser does, which has no key."""
    async with client(app) as browser:
        return await browser.get(BACK, params=said)


async def read(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    return dict((await tenant.api.get(f"{PLACE}/{asked['id']}")).json())


async def granted(app: FastAPI, engine: Engine, tenant: Tenant, **asked_with: Any) -> dict[str, Any]:
    """As a worker leaves it behind."""
    asked = await ask(tenant, **asked_with)
    await come_back(app, state=state_of(asked), code="code1")
    async with engine.write() as tx:
        while (claimed := await claim_authorization(tx, lease_seconds=25)) is not None:
            if claimed.workspace_id == tenant.workspace_id:
                break
        assert claimed is not None
        await grant_authorization(tx, VAULT, claimed, refresh_token="verysecret-too", now=claimed.expires_at)
    return asked


async def credentials(engine: Engine, tenant: Tenant) -> dict[str, Any]:
    (row,) = await rows(engine, "SELECT * FROM webhook_endpoints WHERE workspace_id = :w", w=tenant.workspace_id)
    opened = VAULT.open(row["credentials"], workspace_id=row["workspace_id"], row_id=row["id"])
    return {name: value for name, value in json.loads(opened).items() if value is not None}


async def test_whoever_consents_is_sent_to_the_service_and_back_here(alice: Tenant, engine: Engine) -> None:
    asked = await ask(alice)
    query = parse_qs(urlsplit(asked["consent_url"]).query)
    assert asked["consent_url"].startswith("https://app.hubspot.com/oauth/authorize?")
    assert query["redirect_uri"] == [asked["redirect_url"]]
    assert asked["redirect_url"].endswith(BACK)
    assert (asked["state"], asked["failure"]) == ("waiting", None)
    shown = await read(alice, asked)
    assert shown == {name: value for name, value in asked.items() if name != "consent_url"}
    (row,) = await rows(engine, "SELECT * FROM authorizations WHERE workspace_id = :w", w=alice.workspace_id)
    for said in (json.dumps(shown), str(row["settings"]), asked["consent_url"]):
        assert "verysecret" not in said
    assert state_of(asked).encode() not in bytes(row["sealed"])


async def test_a_repeated_call_asks_nobody_else(alice: Tenant) -> None:
    body, headers = {"kind": "hubspot", "settings": APP}, {"Idempotency-Key": "once"}
    first, again = [await alice.api.post(PLACE, json=body, headers=headers) for _ in range(2)]
    assert first.json() == again.json()


async def test_a_code_is_kept_once_and_the_page_says_so(app: FastAPI, alice: Tenant, engine: Engine) -> None:
    asked = await ask(alice)
    page = await come_back(app, state=state_of(asked), code="verysecret code")
    again = await come_back(app, state=state_of(asked), code="another code")
    assert (page.status_code, again.status_code) == (200, 404)
    assert "Thank you" in page.text
    for one in (page, again):
        assert {name: one.headers[name] for name in PAGE} == PAGE
        assert "location" not in one.headers
        assert "code" not in one.text
    (row,) = await rows(engine, "SELECT * FROM authorizations WHERE workspace_id = :w", w=alice.workspace_id)
    assert row["state"] == "exchanging"
    assert "verysecret code" in VAULT.open(row["sealed"], workspace_id=row["workspace_id"], row_id=row["id"])
    assert (await read(alice, asked))["state"] == "exchanging"


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ({"error": "access_denied", "error_description": "<b>no</b>\x00"}, "denied"),
        ({"error": "redirect_uri_mismatch"}, "wrong_redirect"),
        ({"error": "server_error"}, "refused"),
        ({"code": ""}, "refused"),
        ({"code": "x" * 3_000}, "refused"),
        ({}, "refused"),
    ],
)
async def test_a_refusal_is_a_page_and_words(app: FastAPI, alice: Tenant, said: dict[str, str], failure: str) -> None:
    asked = await ask(alice)
    page = await come_back(app, state=state_of(asked), **said)
    assert (page.status_code, "Nothing was connected" in page.text) == (200, True)
    assert "<b>no" not in page.text
    shown = await read(alice, asked)
    assert (shown["state"], shown["failure"]) == ("failed", failure)
    assert shown["failure_hint"]
    assert "\x00" not in str(shown["last_reply"])


@pytest.mark.parametrize("server", ["https://evil.example", "https://accounts.zoho.eu.evil.example", ""])
async def test_nobody_is_followed_to_another_server(app: FastAPI, alice: Tenant, server: str) -> None:
    asked = await ask(alice, kind="zoho")
    query = {"state": state_of(asked), "code": "c", "location": "eu", "accounts-server": server}
    assert "Nothing was connected" in (await come_back(app, **query)).text
    assert (await read(alice, asked))["failure"] == "wrong_server"


async def test_zoho_goes_on_in_the_data_centre_of_whoever_consented(app: FastAPI, alice: Tenant) -> None:
    asked = await ask(alice, kind="zoho")
    assert asked["settings"]["accounts_url"] == "https://accounts.zoho.com"
    query = {"state": state_of(asked), "code": "c", "location": "eu", "accounts-server": "https://accounts.zoho.eu"}
    await come_back(app, **query)
    assert (await read(alice, asked))["settings"]["accounts_url"] == "https://accounts.zoho.eu"


async def test_strangers_states_are_nothing(app: FastAPI, alice: Tenant, charlie: Tenant) -> None:
    asked = await ask(alice)
    state = state_of(asked)
    forged = state[:-6] + ("AAAAAA" if not state.endswith("AAAAAA") else "BBBBBB")
    for wrong in (forged, "", "x", "\x00", state + state):
        page = await come_back(app, state=wrong, code="c")
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (await read(alice, asked))["state"] == "waiting"
    assert (await charlie.api.get(f"{PLACE}/{asked['id']}")).status_code == 404


async def test_who_comes_too_late_starts_again(app: FastAPI, alice: Tenant, engine: Engine) -> None:
    asked = await ask(alice)
    async with engine.write() as tx:
        over = text("UPDATE authorizations SET expires_at = now() WHERE workspace_id = :w")
        await tx.execute(over, {"w": alice.workspace_id})
    assert (await come_back(app, state=state_of(asked), code="c")).status_code == 404
    assert (await read(alice, asked))["state"] == "expired"


async def test_what_was_granted_makes_one_endpoint(app: FastAPI, engine: Engine, alice: Tenant) -> None:
    asked = await granted(app, engine, alice)
    assert (await read(alice, asked))["state"] == "granted"
    body = {"kind": "hubspot", "authorization_id": asked["id"], "settings": {"link": "https://crm.example/{email}"}}
    made = await alice.api.post(ENDPOINTS, json=body)
    again = await alice.api.post(ENDPOINTS, json=body)
    assert (made.status_code, made.json()["settings"]["client_id"]) == (201, "app1")
    assert await credentials(engine, alice) == {"client_secret": "verysecret", "refresh_token": "verysecret-too"}
    assert (again.status_code, again.json()["code"]) == (422, "authorization_unusable")
    assert "verysecret" not in made.text
    assert (await read(alice, asked))["state"] == "used"
    (row,) = await rows(engine, "SELECT sealed FROM authorizations WHERE workspace_id = :w", w=alice.workspace_id)
    assert row["sealed"] is None


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("hubspot", {"token": "old"}),
        ("google_sheets", {"service_account": key_file("https://oauth2.googleapis.com/token"), "spreadsheet_id": "1"}),
        ("salesforce", {"base_url": "https://x.my.salesforce.com", "client_id": "old", "client_secret": "old"}),
    ],
)
async def test_it_lets_in_an_endpoint_that_got_in_otherwise(
    app: FastAPI, engine: Engine, alice: Tenant, kind: str, before: dict[str, str]
) -> None:
    made = await alice.api.post(ENDPOINTS, json={"kind": kind, "settings": before})
    assert made.status_code == 201, made.text
    where = {name: value for name, value in before.items() if name in {"base_url", "spreadsheet_id"}}
    asked = await granted(app, engine, alice, kind=kind, **where)
    place = f"{ENDPOINTS}/{made.json()['id']}"
    let_in = await alice.api.patch(place, json={"authorization_id": asked["id"]})
    assert let_in.status_code == 200, let_in.text
    assert await credentials(engine, alice) == {"client_secret": "verysecret", "refresh_token": "verysecret-too"}


async def test_what_was_granted_to_others_is_nothing(
    app: FastAPI, engine: Engine, alice: Tenant, charlie: Tenant
) -> None:
    asked = await granted(app, engine, alice)
    for kind, tenant in (("hubspot", charlie), ("zoho", alice)):
        refused = await tenant.api.post(ENDPOINTS, json={"kind": kind, "authorization_id": asked["id"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "authorization_unusable")
    assert (await read(alice, asked))["state"] == "granted"


async def test_what_was_granted_goes_nowhere_else(app: FastAPI, engine: Engine, alice: Tenant) -> None:
    asked = await granted(app, engine, alice)
    elsewhere = {"base_url": "https://evil.example"}
    body = {"kind": "hubspot", "authorization_id": asked["id"]}
    refused = await alice.api.post(ENDPOINTS, json={**body, "settings": elsewhere})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/settings/base_url")
    evil = await alice.api.post(ENDPOINTS, json={"kind": "hubspot", "settings": {**elsewhere, "token": "x"}})
    let_in = await alice.api.patch(f"{ENDPOINTS}/{evil.json()['id']}", json={"authorization_id": asked["id"]})
    assert (let_in.status_code, let_in.json()["url"]) == (200, "https://api.hubapi.com")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"kind": "slack", "settings": {}}, "authorization_unusable", "/kind"),
        ({"kind": "hubspot", "settings": {"client_id": "x"}}, "connector_settings_unusable", "/settings/token"),
        ({"kind": "zoho", "settings": {**APP, "x": "y"}}, "connector_settings_unusable", "/settings/x"),
        ({"kind": "zoho", "settings": {"refresh_token": "y"}}, "authorization_unusable", "/settings/refresh_token"),
        ({"kind": "zoho", "settings": {**APP, "accounts_url": "http://10.0.0.1"}}, "unusable_url", ACCOUNTS),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused(alice: Tenant, body: Any, code: str, pointer: str) -> None:
    refused = await alice.api.post(PLACE, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("given", [{"settings": {"x": "y"}}, {"authorization_id": f"auth_{'0' * 32}"}])
async def test_a_webhook_is_let_in_nowhere(alice: Tenant, given: dict[str, Any]) -> None:
    body = {"url": "https://hooks.example.com/", **given}
    refused = await alice.api.post(ENDPOINTS, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "connector_settings_unusable")
