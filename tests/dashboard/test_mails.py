"""The captured mailbox. What is in a mail was written by strangers too."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser

from app.dashboard.cookies import SESSION
from app.dashboard.headers import FRAMED
from app.dashboard.places import MAILS, mail_path
from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.domain.ids import uuid_v7
from app.domain.keys import KeyKind
from app.domain.mail.letter import Letter, Mailbox
from app.domain.mail.letter_bytes import compose
from app.operations.api_keys import issue_key
from app.operations.captured_mails import KEPT_FOR, MOST_KEPT, forget_captured_mails
from tests.conftest import Tenant
from tests.dashboard.browser import a_browser, faults
from tests.dashboard.reader import Reader, a_reader
from tests.dashboard.scenery import HOSTILE
from tests.domain.mail.test_letter_bytes import LETTER

NOW = datetime.now(UTC)
KEEP = """
    INSERT INTO captured_mails (workspace_id, id, purpose, to_address, subject, raw, created_at)
    VALUES ($1, $2, 'first', $3, $4, $5, $6)
"""


async def keep(engine: Engine, workspace_id: UUID, letter: Letter = LETTER, *, at: datetime = NOW) -> UUID:
    mail_id = new_id(at)
    letter = replace(letter, message_id=mail_id)
    async with engine.write() as tx:
        await fetch(tx, KEEP, workspace_id, mail_id, letter.to.email, letter.subject, compose(letter), at)
    return mail_id


async def test_what_was_captured_is_listed_and_read(lena: Reader, engine: Engine, alice: Tenant) -> None:
    mail_id = await keep(engine, alice.workspace_id, replace(LETTER, subject="Wie geht es?"))
    listed = await lena.read(MAILS)
    assert listed.links["Wie geht es?"] == mail_path(mail_id)
    assert "no SMTP server" in listed.text.replace("No SMTP", "no SMTP")
    seen = await lena.read(mail_path(mail_id))
    assert LETTER.question in seen.text
    assert f"<{LETTER.unsubscribe_url}>" in seen.text
    assert f"{LETTER.survey_url}?score=10" in seen.text


async def test_mails_are_found_by_address(lena: Reader, engine: Engine, alice: Tenant) -> None:
    await keep(engine, alice.workspace_id)
    await keep(engine, alice.workspace_id, replace(LETTER, to=Mailbox("bob@example.org"), subject="For Bob"))
    found = await lena.read(f"{MAILS}?to=Bob@example.org")
    assert "For Bob" in found.links
    assert LETTER.subject not in found.links
    assert "No mail was written to eve@example.org" in (await lena.read(f"{MAILS}?to=eve@example.org")).text


async def test_the_body_is_framed_by_us_only_and_runs_nothing(lena: Reader, engine: Engine, alice: Tenant) -> None:
    mail_id = await keep(engine, alice.workspace_id, replace(LETTER, subject=HOSTILE, question=HOSTILE, intro=HOSTILE))
    body = await lena.http.get(f"{mail_path(mail_id)}/body")
    assert body.headers["content-security-policy"] == FRAMED
    assert body.headers["x-frame-options"] == "SAMEORIGIN"
    assert "allow-scripts" not in FRAMED
    assert "allow-same-origin" not in FRAMED
    assert "<script" not in body.text
    assert '<base target="_blank">' in body.text
    assert "<script" not in (await lena.read(mail_path(mail_id))).html


async def test_a_strangers_mail_is_not_there(lena: Reader, engine: Engine, charlie: Tenant) -> None:
    mail_id = await keep(engine, charlie.workspace_id, replace(LETTER, subject="Charlie's own"))
    assert "Charlie's own" not in (await lena.read(MAILS)).text
    for path in (mail_path(mail_id), f"{mail_path(mail_id)}/body", f"{MAILS}/nonsense"):
        assert (await lena.http.get(path)).status_code == 404


async def test_a_key_that_may_not_read_mail_gets_none(site: str, engine: Engine, alice: Tenant) -> None:
    mail_id = await keep(engine, alice.workspace_id)
    async with engine.write() as tx:
        key = await issue_key(
            tx, alice.workspace_id, mode="live", kind=KeyKind.SECRET, name="Ops", scopes=["webhooks:read"], now=NOW
        )
    async with a_reader(site) as reader:
        await reader.log_in(key.token)
        for path in (MAILS, mail_path(mail_id), f"{mail_path(mail_id)}/body"):
            assert (await reader.http.get(path)).status_code == 403


async def test_mails_are_forgotten_after_a_week_and_beyond_a_thousand(own_engine: Engine) -> None:
    async with own_engine.write() as tx:
        await fetch(tx, "INSERT INTO workspaces (id, name, mode) VALUES ($1, 'A', 'live')", UUID(int=1))
        await fetch(tx, "INSERT INTO workspaces (id, name, mode) VALUES ($1, 'B', 'test')", UUID(int=2))
        for number in range(MOST_KEPT + 20):
            await fetch(tx, KEEP, UUID(int=1), uuid_v7(number, bytes(10)), "a@example.org", str(number), b"", NOW)
        await fetch(tx, KEEP, UUID(int=2), new_id(NOW), "a@example.org", "new", b"", NOW)
        old = NOW - KEPT_FOR - timedelta(minutes=1)
        await fetch(tx, KEEP, UUID(int=2), new_id(old), "a@example.org", "old", b"", old)
    async with own_engine.write() as tx:
        assert await forget_captured_mails(tx, now=NOW) == 21
        assert await forget_captured_mails(tx, now=NOW) == 0
        left = await fetch(tx, "SELECT workspace_id, subject FROM captured_mails")
    assert len(left) == MOST_KEPT + 1
    assert {row["subject"] for row in left} == {"new", *map(str, range(20, MOST_KEPT + 20))}


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


async def test_a_browser_shows_the_mail_and_its_links_open_a_window(
    browser: Browser, site: str, lena: Reader, engine: Engine, alice: Tenant
) -> None:
    letter = replace(LETTER, survey_url=f"{site}/s/nowhere", unsubscribe_url=f"{site}/u/nowhere")
    mail_id = await keep(engine, alice.workspace_id, letter)
    session = lena.http.cookies.get(SESSION)
    assert session is not None
    context = await browser.new_context(base_url=site)
    await context.add_cookies([{"name": SESSION, "value": session, "url": site}])
    page = await context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    await page.goto(mail_path(mail_id))
    frame = page.frame_locator("iframe")
    assert await frame.locator("h1").inner_text() == LETTER.question
    assert await faults(context) == []
    async with context.expect_page() as opened:
        await frame.get_by_role("link", name="10 – Extremely likely").click()
    window = await opened.value
    assert window.url == f"{site}/s/nowhere?score=10"
    assert [one for one in troubles if "Content Security Policy" in one or "sandbox" in one] == []
    await context.close()
