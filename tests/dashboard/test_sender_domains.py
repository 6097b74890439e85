"""What the DNS says about sender domains, for people. What is found there was written by strangers."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser

from app.dashboard.cookies import SESSION
from app.dashboard.places import MAILS, SENDER_DOMAINS
from app.db.engine import Engine
from app.db.statements import fetch
from app.domain.mail.domain_check.finding import Finding, Part, Severity, state_of
from tests.builders import rows
from tests.conftest import Tenant
from tests.dashboard.browser import a_browser, faults
from tests.dashboard.reader import Reader, a_reader
from tests.dashboard.scenery import HOSTILE

DMARC = Finding(
    Part.DMARC, Severity.FAILED, "dmarc_missing", "shop.example has no DMARC record.", "_dmarc.shop.example",
    "v=DMARC1; p=none; rua=mailto:dmarc@shop.example",
)  # fmt: skip
DKIM = Finding(Part.DKIM, Severity.UNKNOWN, "dkim_selectors_unnamed", "Name yours.", "_domainkey.shop.example")
OPEN = Finding(Part.SPF, Severity.ADVICE, "spf_ends_open", "Let it end with ~all.", "shop.example")
SETTLE = """
    UPDATE sender_domains SET state = $3, findings = $4::text::jsonb, found = $5::text::jsonb, checked_at = $6,
        asked_at = NULL, due_at = $6
    WHERE workspace_id = $1 AND domain = $2
"""


async def set_sender(tenant: Tenant, **sender: Any) -> None:
    reply = await tenant.api.patch("/v1/workspace", json={"sender": {"from_email": "us@shop.example", **sender}})
    assert reply.status_code == 200, reply.text


async def settle(engine: Engine, tenant: Tenant, findings: Sequence[Finding], domain: str = "shop.example") -> None:
    """As a check some hours ago has left it."""
    told, found = json.dumps([one.to_json() for one in findings]), json.dumps({"spf_record": "v=spf1 mx -all"})
    async with engine.write() as tx:
        at = datetime.now(UTC) - timedelta(hours=5, minutes=30)
        await fetch(tx, SETTLE, tenant.workspace_id, domain, state_of(findings).value, told, found, at)


async def test_each_part_says_in_words_how_it_is(lena: Reader, engine: Engine, alice: Tenant) -> None:
    await set_sender(alice)
    await settle(engine, alice, [DMARC, DKIM, OPEN])
    said = (await lena.read(SENDER_DOMAINS)).text
    for words in ("shop.example Failed", "SPF Passed", "Advice: Let it", "DKIM Unknown", "DMARC Failed"):
        assert words in said
    assert "Bounces Passed Nothing is missing." in said
    assert "v=spf1 mx -all" in said
    assert "Checked 5 h ago" in said


async def test_the_record_to_add_can_be_copied(lena: Reader, engine: Engine, alice: Tenant) -> None:
    """A field that cannot be changed: Tab selects all of it, and no script is needed."""
    await set_sender(alice)
    await settle(engine, alice, [DMARC])
    shown = {one["value"]: one for one in (await lena.read(SENDER_DOMAINS)).inputs if one["type"] == "text"}
    assert set(shown) == {DMARC.name, DMARC.publish}
    assert all("readonly" in one for one in shown.values())


async def test_a_domain_that_passed_needs_nothing(lena: Reader, engine: Engine, alice: Tenant) -> None:
    await set_sender(alice)
    await settle(engine, alice, [])
    page = await lena.read(SENDER_DOMAINS)
    assert "shop.example Passed" in page.text
    assert [one for one in page.inputs if one["type"] == "text"] == []
    assert "failed" not in (await lena.read(MAILS)).text


async def test_a_check_is_asked_for(lena: Reader, engine: Engine, alice: Tenant) -> None:
    await set_sender(alice)
    await settle(engine, alice, [DMARC])
    page = await lena.read(SENDER_DOMAINS)
    after = await lena.follow(await lena.press(page.button("Check again")))
    assert "The DNS is being asked" in after.text
    assert "Being checked" in after.text
    assert await rows(
        engine,
        "SELECT domain FROM sender_domains WHERE workspace_id = :id AND asked_at IS NOT NULL AND due_at <= now()",
        id=alice.workspace_id,
    )


async def test_without_a_sender_it_says_how_to_have_one(lena: Reader, alice: Tenant) -> None:
    page = await lena.read(SENDER_DOMAINS)
    assert "No sender is set" in page.text
    assert "Check again" not in page.buttons
    await set_sender(alice)
    page = await lena.read(SENDER_DOMAINS)
    assert "shop.example Not checked yet" in page.text
    assert "Being checked" in page.text


async def test_the_mailbox_leads_there_and_counts_what_failed(lena: Reader, engine: Engine, alice: Tenant) -> None:
    await set_sender(alice, domains=["other.example"])
    assert (await lena.read(MAILS)).links["Sender domains"] == SENDER_DOMAINS
    await settle(engine, alice, [DMARC])
    assert (await lena.read(MAILS)).links["Sender domains 1 failed"] == SENDER_DOMAINS


async def test_a_strangers_domains_are_not_there(lena: Reader, engine: Engine, charlie: Tenant) -> None:
    await set_sender(charlie, from_email="us@charlie.example")
    await settle(engine, charlie, [DMARC], "charlie.example")
    assert "charlie" not in (await lena.read(SENDER_DOMAINS)).text
    assert "failed" not in (await lena.read(MAILS)).text


@pytest.mark.parametrize(
    ("scope", "place", "status"), [("workspace:read", SENDER_DOMAINS, 200), ("mail:read", MAILS, 403)]
)
async def test_who_may_only_look_cannot_ask_and_others_do_not_see_it(
    site: str, engine: Engine, alice: Tenant, scope: str, place: str, status: int
) -> None:
    await set_sender(alice)
    key = await alice.api.post("/v1/api-keys", json={"name": "Ops", "scopes": [scope]})
    async with a_reader(site) as reader:
        await reader.log_in(key.json()["token"])
        assert (await reader.http.get(SENDER_DOMAINS)).status_code == status
        page = await reader.read(place)
        assert ("Sender domains" in page.text) is (status == 200)
        assert page.buttons == ["Log out"] if status == 200 else "Check again" not in page.buttons
        form = replace(page.button("Log out"), action=f"{SENDER_DOMAINS}/check")
        assert (await reader.press(form)).status_code == 403


async def test_what_failed_comes_first(lena: Reader, engine: Engine, alice: Tenant) -> None:
    await set_sender(alice, domains=["a.example", "b.example"])
    await settle(engine, alice, [DKIM], "a.example")
    await settle(engine, alice, [], "b.example")
    await settle(engine, alice, [DMARC])
    said = (await lena.read(SENDER_DOMAINS)).text
    order = sorted(["a.example Unknown", "b.example Passed", "shop.example Failed"], key=said.index)
    assert order == ["shop.example Failed", "a.example Unknown", "b.example Passed"]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 320, "height": 740}},
}


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_has_nothing_against_it_and_tab_selects_the_record(
    browser: Browser, site: str, lena: Reader, engine: Engine, alice: Tenant, look: str
) -> None:
    hostile = Finding(Part.SPF, Severity.FAILED, "spf_unreadable", HOSTILE, "x" * 200, f"{HOSTILE} {'y' * 200}")
    await set_sender(alice, domains=["a-domain-of-some-length.division.example"])
    await settle(engine, alice, [DMARC, DKIM, OPEN, hostile])
    context = await browser.new_context(base_url=site, bypass_csp=True, **LOOKS[look])
    await context.add_cookies([{"name": SESSION, "value": str(lena.http.cookies.get(SESSION)), "url": site}])
    page = await context.new_page()
    await page.goto(SENDER_DOMAINS)
    assert await faults(context) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look]["viewport"]["width"]
    await page.get_by_label("Add a TXT record named").last.focus()
    await page.keyboard.press("Tab")
    assert await page.evaluate("getSelection().toString()") == DMARC.publish
    await context.close()
