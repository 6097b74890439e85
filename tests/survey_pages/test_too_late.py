"""Whoever was still writing when it ended: an answer on its way counts, and nobody loses what they wrote."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from playwright.async_api import Browser
from structlog.testing import capture_logs

from app.api.public.survey.route import trouble_page
from app.api.public.survey.shell import PRIVATE, _gzipped_once
from app.api.public.survey.words import all_words
from app.db.tables import campaigns, invitations
from app.domain.campaign import CampaignNotAccepting
from app.domain.errors import DomainError, Overloaded
from tests.conftest import Tenant
from tests.dashboard.browser import faults
from tests.survey_pages.in_browser import LOOKS, a_page
from tests.survey_pages.links import Asked, a_link
from tests.survey_pages.test_anonymous import everything_in
from tests.survey_pages.test_further_questions import QUESTIONS, more, scored

HOSTILE = 'Mind the </textarea><script>alert(1)</script> & "gap"\nتحية'
SHOWN = "Mind the &lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;gap&#34;\nتحية"
UNSAVED = "What you wrote was not recorded."


def ago(**past: float) -> datetime:
    return datetime.now(UTC) - timedelta(**past)


@pytest.mark.parametrize("is_anonymous", [False, True])
async def test_what_is_sent_within_the_hour_counts_though_nobody_may_begin(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, is_anonymous: bool
) -> None:
    asked = await a_link(
        app, alice, survey={"questions": QUESTIONS}, campaign={"is_anonymous": is_anonymous}, state="expired",
        expires_at=ago(minutes=58),
    )  # fmt: skip
    assert "This survey has closed" in (await visitor.get(asked.path, params={"score": 2})).text
    assert await asked.response() is None
    page = await visitor.post(asked.path, data={"score": "2", "comment": "Late", "lang": "en"})
    assert "What was the reason?" in page.text
    assert ((await asked.response() or {})["comment"], await asked.counted()) == ("Late", 1)
    if not is_anonymous:
        assert (await asked.invitation())["state"] == "answered"
        assert (
            "We are sorry."
            in (await more(visitor, asked, ["reason"], reason="price")).text
            + (await visitor.get(f"{asked.path}?thanks")).text
        )


async def test_a_choice_of_a_page_that_is_still_open_counts_too(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await asked.change(invitations, state="expired", expires_at=ago(minutes=58))
    assert (await visitor.post(f"{asked.path}/signs", data={"sign": "change", "score": "9"})).status_code == 200
    assert await asked.counted() == 1


@pytest.mark.parametrize("over", ["expired", "archived"])
async def test_later_it_counts_no_more_and_what_was_written_is_shown_and_nowhere_kept(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, asked: Asked, over: str
) -> None:
    if over == "expired":
        await asked.change(invitations, state="expired", expires_at=ago(minutes=62))
    else:
        await asked.change(campaigns, state="archived")
    before = await everything_in(app.state.services.engine, alice.workspace_id)
    with capture_logs() as lines:
        reply = await visitor.post(asked.path, data={"score": "9", "comment": f" {HOSTILE} ", "lang": "en"})
    words = all_words()["en"]["expired" if over == "expired" else "ended"]
    assert (reply.status_code, f"<h1>{words}</h1>" in reply.text) == (200, True)
    assert f'<label for="written">{UNSAVED}' in reply.text
    assert f">{SHOWN}</textarea>" in reply.text
    assert {name: reply.headers[name] for name in PRIVATE} == PRIVATE
    assert await everything_in(app.state.services.engine, alice.workspace_id) == before
    assert "gap" not in str(lines)


async def test_of_further_questions_what_was_typed_is_shown_and_nothing_else(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    asked = await a_link(app, alice, survey={"questions": QUESTIONS})
    await scored(visitor, asked, 9)
    await asked.change(campaigns, state="archived")
    reply = await more(visitor, asked, ["wish", "used"], wish="Sooner, <please>", used="app", other="x")
    assert re.findall(r"<textarea.*?>(.*?)</textarea>", reply.text, re.DOTALL) == ["Sooner, &lt;please&gt;"]


async def test_whoever_wrote_nothing_is_shown_nothing(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await asked.change(campaigns, state="archived")
    for comment in ("", "  \n", "\x00"):
        assert UNSAVED not in (await visitor.post(asked.path, data={"score": "9", "comment": comment})).text
    assert UNSAVED not in (await visitor.get(f"{asked.path}?comment=x")).text


async def test_an_answer_that_stands_shows_what_was_written_in_its_stead(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await visitor.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "9"})
    reply = await visitor.post(asked.path, data={"score": "1", "comment": "No script", "lang": "en"})
    assert "Your answer is 9." in reply.text
    assert ">No script</textarea>" in reply.text


async def test_a_stranger_to_the_link_puts_no_words_on_a_page(visitor: httpx.AsyncClient) -> None:
    assert "Hello" not in (await visitor.post(f"/s/{'x' * 22}", data={"score": "9", "comment": "Hello"})).text


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (CampaignNotAccepting("It is archived."), 409, b"This survey has ended"),  # in the same moment
        (Overloaded("Too many."), 503, b"Something went wrong here"),
    ],
)
def test_what_recording_refuses_is_given_back(error: DomainError, status: int, said: bytes) -> None:
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/s/x", "headers": [], "query_string": b""}
    request = Request(scope | {"server": ("zeroten.test", 80), "scheme": "http"})
    request.state.written = "Too late"
    reply = trouble_page(request, error)
    assert reply.status_code == status
    assert said in reply.body
    assert b">Too late</textarea>" in reply.body


async def test_pages_are_not_remembered_for_their_compression(visitor: httpx.AsyncClient, asked: Asked) -> None:
    kept = _gzipped_once.cache_info().currsize
    for score in range(3):
        reply = await visitor.get(asked.path, params={"score": score}, headers={"accept-encoding": "gzip"})
        assert reply.headers["content-encoding"] == "gzip"
    assert _gzipped_once.cache_info().currsize == kept


@pytest.mark.slow
@pytest.mark.parametrize("look", ["light", "dark", "phone", "zoomed"])
async def test_axe_has_nothing_against_what_is_left_to_copy(
    browser: Browser, site: str, asked: Asked, look: str
) -> None:
    async with a_page(browser, site, bypass_csp=True, **LOOKS[look]) as page:
        await page.goto(f"{asked.path}?lang={'ar' if look == 'dark' else 'en'}")
        await page.locator(".score").first.check()
        await page.locator("#comment").fill(HOSTILE + "-" * 200)
        await asked.change(campaigns, state="archived")
        await page.locator("#answer button").click()
        left = page.locator("#written")
        assert await left.input_value() == HOSTILE + "-" * 200
        assert not await left.is_editable()
        assert await faults(page.context) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look]["viewport"]["width"]
