import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.keys import KeyKind
from app.domain.session import IDLE_AFTER
from app.operations.api_keys import IssuedKey, issue_key, revoke_key
from tests.builders import rows
from tests.conftest import Tenant, running_app
from tests.dashboard.reader import Page, Reader, a_reader
from tests.served import served

LIST = "/dashboard/webhooks"


async def a_key(engine: Engine, tenant: Tenant, *scopes: str, kind: KeyKind = KeyKind.SECRET) -> IssuedKey:
    async with engine.write() as tx:
        return await issue_key(
            tx, tenant.workspace_id, mode="live", kind=kind, name="Lena", scopes=scopes, now=datetime.now(UTC)
        )


async def sessions(engine: Engine, tenant: Tenant) -> int:
    return len(await rows(engine, "SELECT id FROM dashboard_sessions WHERE workspace_id = :id", id=tenant.workspace_id))


async def test_whoever_is_not_logged_in_is_asked_to(stranger: Reader) -> None:
    reply = await stranger.http.get(f"{LIST}?state=exhausted")
    assert (reply.status_code, reply.headers["location"]) == (
        303, "/dashboard/log-in?next=%2Fdashboard%2Fwebhooks%3Fstate%3Dexhausted",
    )  # fmt: skip


async def test_a_secret_key_opens_the_page_that_was_asked_for(stranger: Reader, alice: Tenant) -> None:
    reply = await stranger.log_in(alice.secret_key, wanted=f"{LIST}%3Fstate%3Dexhausted")
    assert (reply.status_code, reply.headers["location"]) == (303, f"{LIST}?state=exhausted")
    shown = await stranger.follow(reply)
    assert shown.status == 200
    assert "Alice Live" in shown.text


@pytest.mark.parametrize(
    "wanted", ["//evil.example/dashboard/x", "https://evil.example/dashboard/x", "/v1/events", "/dashboard/../v1",
               "/dashboard/log-out", "/dashboard/\\evil.example", "javascript:alert(1)",
               "/dashboard/%0d%0aset-cookie:x"],
)  # fmt: skip
async def test_nobody_is_led_elsewhere_after_logging_in(stranger: Reader, alice: Tenant, wanted: str) -> None:
    shown = await stranger.read("/dashboard/log-in")
    reply = await stranger.press(shown.button("Log in"), key=alice.secret_key, next=httpx.QueryParams(n=wanted)["n"])
    location = reply.headers["location"]
    assert location == LIST or location.startswith("/dashboard/%0d%0a")


async def test_a_wrong_key_is_told_so_and_not_repeated(stranger: Reader, alice: Tenant, engine: Engine) -> None:
    reply = await stranger.log_in("zt_sk_live_nobody-has-this")
    shown = Page(reply)
    assert shown.status == 422
    assert "unknown, revoked or expired" in shown.text
    assert "nobody-has-this" not in reply.text
    assert await sessions(engine, alice) == 0


async def test_a_publishable_key_opens_nothing(stranger: Reader, alice: Tenant) -> None:
    reply = await stranger.log_in(alice.publishable_key)
    assert reply.status_code == 422
    assert "publishable" in Page(reply).text


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Reader, alice: Tenant) -> None:
    reply = await stranger.log_in(alice.secret_key)
    cookie = next(one for one in reply.headers.get_list("set-cookie") if one.startswith("zeroten_session="))
    assert re.fullmatch(
        r"zeroten_session=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax", cookie
    )  # no Secure: this is plain http on loopback


async def test_over_https_the_cookie_stays_there(app: FastAPI, alice: Tenant) -> None:
    async with a_reader("https://nps.example", app=app) as reader:
        reply = await reader.log_in(alice.secret_key)
        cookie = next(one for one in reply.headers.get_list("set-cookie") if "zeroten_session=" in one)
        assert cookie.startswith("__Host-zeroten_session=")
        assert "Secure" in cookie
        assert (await reader.follow(reply)).status == 200


async def test_a_key_does_not_travel_over_plain_http(app: FastAPI, alice: Tenant, engine: Engine) -> None:
    async with a_reader("http://nps.example", app=app) as reader:
        shown = await reader.read("/dashboard/log-in")
        assert (shown.status, shown.forms) == (403, [])
        assert "https" in shown.text
        async with a_reader("http://127.0.0.1", app=app) as beside:
            form = (await beside.read("/dashboard/log-in")).button("Log in")
        cookie = {"cookie": f"zeroten_log_in={beside.http.cookies['zeroten_log_in']}"}
        body = {**form.fields, "key": alice.secret_key}
        headers = {"origin": "http://nps.example", **cookie}
        reply = await reader.http.post("/dashboard/log-in", data=body, headers=headers)
    assert reply.status_code == 403
    assert await sessions(engine, alice) == 0


async def test_every_log_in_is_a_session_of_its_own(stranger: Reader, alice: Tenant, engine: Engine) -> None:
    await stranger.log_in(alice.secret_key)
    first = stranger.http.cookies["zeroten_session"]
    await stranger.log_in(alice.secret_key)
    assert stranger.http.cookies["zeroten_session"] != first
    assert await sessions(engine, alice) == 1


async def test_whoever_logs_out_is_out_everywhere_at_once(lena: Reader) -> None:
    token = lena.http.cookies["zeroten_session"]
    shown = await lena.read(LIST)
    told = await lena.follow(await lena.press(shown.button("Log out")))
    assert "You are logged out." in told.text
    assert "zeroten_session" not in lena.http.cookies
    reply = await lena.http.get(LIST, headers={"cookie": f"zeroten_session={token}"})
    assert reply.status_code == 303


async def test_a_session_ends_when_its_key_is_revoked(site: str, alice: Tenant, engine: Engine) -> None:
    key = await a_key(engine, alice, "*")
    async with a_reader(site) as reader:
        await reader.log_in(key.token)
        assert (await reader.http.get(LIST)).status_code == 200
        async with engine.write() as tx:
            await revoke_key(tx, alice.workspace_id, key.id, now=datetime.now(UTC))
        assert (await reader.http.get(LIST)).status_code == 303


async def test_a_session_ends_when_nobody_looks(lena: Reader, alice: Tenant, engine: Engine) -> None:
    async with engine.write() as tx:
        await tx.execute(
            text("UPDATE dashboard_sessions SET seen_at = :at WHERE workspace_id = :id"),
            {"at": datetime.now(UTC) - IDLE_AFTER + timedelta(minutes=1), "id": alice.workspace_id},
        )
    assert (await lena.http.get(LIST)).status_code == 200
    async with engine.write() as tx:
        await tx.execute(
            text("UPDATE dashboard_sessions SET seen_at = :at WHERE workspace_id = :id"),
            {"at": datetime.now(UTC) - IDLE_AFTER, "id": alice.workspace_id},
        )
    assert (await lena.http.get(LIST)).status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
async def test_a_form_of_another_site_is_refused(lena: Reader, origin: str) -> None:
    reply = await lena.press((await lena.read(LIST)).button("Log out"), origin=origin)
    assert reply.status_code == 403
    assert "out of date" in Page(reply).text
    assert (await lena.http.get(LIST)).status_code == 200


async def test_a_form_without_an_origin_is_refused(lena: Reader) -> None:
    form = (await lena.read(LIST)).button("Log out")
    assert (await lena.http.post(form.action, data=form.fields)).status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_form_without_its_token_is_refused(lena: Reader, token: str) -> None:
    reply = await lena.press((await lena.read(LIST)).button("Log out"), form_token=token)
    assert reply.status_code == 403


async def test_the_token_of_somebody_else_is_no_good(lena: Reader, site: str, charlie: Tenant) -> None:
    async with a_reader(site) as other:
        await other.log_in(charlie.secret_key)
        theirs = (await other.read(LIST)).button("Log out").fields["form_token"]
    assert (await lena.press((await lena.read(LIST)).button("Log out"), form_token=theirs)).status_code == 403


async def test_nobody_is_logged_in_by_another_site(stranger: Reader, alice: Tenant) -> None:
    """Or they would look at, and fill, somebody else's workspace without noticing."""
    shown = await stranger.read("/dashboard/log-in")
    foreign = await stranger.press(shown.button("Log in"), origin="https://evil.example", key=alice.secret_key)
    assert foreign.status_code == 403
    stranger.http.cookies.clear()
    without_cookie = await stranger.press(shown.button("Log in"), key=alice.secret_key)
    assert without_cookie.status_code == 403


@pytest.mark.parametrize("body", [b"key=%ff%fe", b"&".join(b"a=1" for _ in range(60)), b"\xff", b""])
async def test_what_is_no_form_is_refused(stranger: Reader, body: bytes) -> None:
    headers = {"origin": str(stranger.http.base_url), "content-type": "application/x-www-form-urlencoded"}
    reply = await stranger.http.post("/dashboard/log-in", content=body, headers=headers)
    assert reply.status_code == 403


async def test_too_many_tries_have_to_wait(database_url: str, alice: Tenant) -> None:
    async with running_app(database_url) as app, served(app) as site, a_reader(site) as reader:
        tries = [await reader.log_in("zt_sk_live_wrong") for _ in range(11)]
        assert [reply.status_code for reply in tries] == [422] * 10 + [429]
        assert int(tries[-1].headers["retry-after"]) > 0
        assert (await reader.log_in(alice.secret_key)).status_code == 429
        assert (await reader.http.get("/dashboard/log-in")).status_code == 200


async def test_a_key_that_may_not_see_webhooks_is_told_what_it_lacks(
    stranger: Reader, alice: Tenant, engine: Engine
) -> None:
    await stranger.log_in((await a_key(engine, alice, "scores:read")).token)
    shown = await stranger.read(LIST)
    assert shown.status == 403
    assert "webhooks:read" in shown.text
    assert "Webhooks" not in shown.links
    assert "Log out" in shown.buttons
