"""Letting a connector in again from the dashboard: at its service first, then here."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from app.dashboard.cookies import SESSION
from app.dashboard.places import authorize_path, endpoint_path
from app.db.engine import Engine
from app.domain.ids import parsed
from app.operations.authorizations import claim_authorization, grant_authorization
from tests.api.test_authorizations import VAULT, come_back, credentials
from tests.api.test_authorizations import ask as ask_by_api
from tests.builders import rows
from tests.conftest import Tenant
from tests.dashboard.browser import a_browser, faults
from tests.dashboard.reader import Page, Reader, a_reader

APP = {"client_id": "app2", "client_secret": "verysecret"}


async def a_connector(tenant: Tenant, **fields: Any) -> UUID:
    said = {"kind": "hubspot", "settings": {"token": "pat-1", "link": "https://crm.example/{email}"}, **fields}
    reply = await tenant.api.post("/v1/webhook-endpoints", json=said)
    assert reply.status_code == 201, reply.text
    found = parsed("endpoint", reply.json()["id"])
    assert found is not None
    return found


async def ask(lena: Reader, endpoint: UUID, **said: str) -> Page:
    form = (await lena.read(authorize_path(endpoint))).button("Ask for consent")
    return await lena.follow(await lena.press(form, **{**APP, **said}))


def place_of(page: Page) -> str:
    return str(page.reply.url.raw_path.decode())


async def grant(engine: Engine, tenant: Tenant) -> None:
    """As a worker does."""
    async with engine.write() as tx:
        while (claimed := await claim_authorization(tx, lease_seconds=25)) is not None:
            if claimed.workspace_id == tenant.workspace_id:
                break
        assert claimed is not None
        await grant_authorization(tx, VAULT, claimed, refresh_token="verysecret-too", now=datetime.now(UTC))


async def test_a_connector_is_let_in_from_its_page(lena: Reader, app: FastAPI, engine: Engine, alice: Tenant) -> None:
    endpoint = await a_connector(alice)
    assert (await lena.read(endpoint_path(endpoint))).links["Authorize…"] == authorize_path(endpoint)
    waiting = await ask(lena, endpoint)
    consent = waiting.links["Go to HubSpot"]
    assert consent.startswith("https://app.hubspot.com/oauth/authorize?")
    assert parse_qs(urlsplit(consent).query)["client_id"] == ["app2"]

    await come_back(app, state=parse_qs(urlsplit(consent).query)["state"][0], code="code1")
    assert "Reload in a moment" in (await lena.read(place_of(waiting))).text
    await grant(engine, alice)
    let_in = await lena.read(place_of(waiting))
    assert (await credentials(engine, alice))["token"] == "pat-1"

    after = await lena.follow(await lena.press(let_in.button("Use it")))
    assert "The connector is authorized" in after.text
    assert await credentials(engine, alice) == {"client_secret": "verysecret", "refresh_token": "verysecret-too"}
    (row,) = await rows(engine, "SELECT settings FROM webhook_endpoints WHERE id = :id", id=endpoint)
    assert row["settings"]["link"] == "https://crm.example/{email}"
    used = await lena.read(place_of(waiting))
    assert "in use" in used.text
    assert "verysecret" not in "".join(page.html for page in (waiting, let_in, after, used))


async def test_a_setting_that_changes_meanwhile_stays_changed(
    lena: Reader, app: FastAPI, engine: Engine, alice: Tenant
) -> None:
    endpoint = await a_connector(alice)
    waiting = await ask(lena, endpoint)
    changed = {"settings": {"link": "https://other.example/{email}"}}
    id_ = endpoint_path(endpoint).rpartition("/")[2]
    assert (await alice.api.patch(f"/v1/webhook-endpoints/{id_}", json=changed)).status_code == 200
    await come_back(app, state=parse_qs(urlsplit(waiting.links["Go to HubSpot"]).query)["state"][0], code="code1")
    await grant(engine, alice)
    await lena.press((await lena.read(place_of(waiting))).button("Use it"))
    (row,) = await rows(engine, "SELECT settings FROM webhook_endpoints WHERE id = :id", id=endpoint)
    assert row["settings"]["link"] == "https://other.example/{email}"


async def test_a_refusal_says_what_to_do_and_offers_another_try(lena: Reader, app: FastAPI, alice: Tenant) -> None:
    waiting = await ask(lena, await a_connector(alice))
    state = parse_qs(urlsplit(waiting.links["Go to HubSpot"]).query)["state"][0]
    await come_back(app, state=state, error="access_denied", error_description="<b>No</b>")
    failed = await lena.read(place_of(waiting))
    assert "Consent was refused." in failed.text
    assert "<b>No</b>" in failed.text
    assert "Ask for consent" in failed.buttons


async def test_without_its_app_it_cannot_be_asked_for(lena: Reader, alice: Tenant) -> None:
    form = (await lena.read(authorize_path(await a_connector(alice)))).button("Ask for consent")
    assert (await lena.press(form, client_id="app2", client_secret=" ")).status_code == 422


async def test_only_who_can_be_let_in_has_such_a_page(lena: Reader, alice: Tenant, charlie: Tenant) -> None:
    slack = {"kind": "slack", "settings": {"url": "https://hooks.slack.com/services/T/B/x"}}
    other, hers = await a_connector(alice, **slack), await a_connector(charlie)
    assert "Authorize…" not in (await lena.read(endpoint_path(other))).links
    for endpoint in (other, hers):
        assert (await lena.http.get(authorize_path(endpoint))).status_code == 404
    waiting = await ask(lena, await a_connector(alice))
    for elsewhere in (other, hers):
        query = place_of(waiting).partition("?")[2]
        assert (await lena.http.get(f"{authorize_path(elsewhere)}?{query}")).status_code == 404


async def test_what_was_asked_for_another_service_is_not_this_ones(lena: Reader, alice: Tenant) -> None:
    asked = await ask_by_api(alice, kind="zoho")
    endpoint = await a_connector(alice)
    assert (await lena.http.get(f"{authorize_path(endpoint)}?authorization={asked['id']}")).status_code == 404


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


async def test_axe_has_nothing_against_it_on_a_phone(browser: Browser, site: str, lena: Reader, alice: Tenant) -> None:
    endpoint = await a_connector(alice, description="HubSpot")
    context = await browser.new_context(base_url=site, bypass_csp=True, viewport={"width": 320, "height": 740})
    await context.add_cookies([{"name": SESSION, "value": str(lena.http.cookies.get(SESSION)), "url": site}])
    page = await context.new_page()
    for path in (authorize_path(endpoint), place_of(await ask(lena, endpoint))):
        await page.goto(path)
        assert await faults(context) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await context.close()


@pytest.mark.parametrize("act", ["", "/use"])
async def test_who_may_only_look_cannot_let_in(site: str, alice: Tenant, act: str) -> None:
    endpoint = await a_connector(alice)
    key = await alice.api.post("/v1/api-keys", json={"name": "Ops", "scopes": ["webhooks:read"]})
    async with a_reader(site) as reader:
        await reader.log_in(key.json()["token"])
        seen = await reader.read(endpoint_path(endpoint))
        assert "Authorize…" not in seen.links
        form = seen.button("Log out")
        form.action = f"{authorize_path(endpoint)}{act}"
        assert (await reader.press(form, **APP)).status_code == 403
        assert (await reader.http.get(authorize_path(endpoint))).status_code == 403
