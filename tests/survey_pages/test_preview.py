"""A survey to walk through before anybody is asked: every page of it, and nothing stored."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api.public.survey.words import all_words
from tests.conftest import Tenant, client
from tests.survey_pages.conftest import a_visitor
from tests.survey_pages.links import SURVEY
from tests.survey_pages.test_anonymous import everything_in
from tests.survey_pages.test_further_questions import QUESTIONS

BANNER = "Preview: nothing is stored."
BODY: dict[str, Any] = {
    "name": "Draft", "kind": "relationship",
    "survey": {**SURVEY, "languages": ["en", "de"], "reward": {"en": "Your code:"}},
}  # fmt: skip


@pytest.fixture
async def campaign(alice: Tenant) -> str:
    await alice.api.patch("/v1/workspace", json={"brand": {"name": "Northwind"}})
    survey = {
        **BODY["survey"],
        "questions": QUESTIONS,
        "question": {key: SURVEY["question"][key] for key in ("en", "de")},
    }
    reply = await alice.api.post("/v1/campaigns", json={**BODY, "survey": survey})
    assert reply.status_code == 201, reply.text
    return f"/v1/campaigns/{reply.json()['id']}"


@pytest.fixture(autouse=True)
async def _nothing_is_stored(alice: Tenant, app: FastAPI, campaign: str) -> AsyncIterator[None]:
    before = await everything_in(app.state.services.engine, alice.workspace_id)
    yield
    assert await everything_in(app.state.services.engine, alice.workspace_id) == before


async def link(tenant: Tenant, campaign: str, **params: str) -> str:
    reply = await tenant.api.get(f"{campaign}/survey-preview", params=params)
    assert reply.status_code == 200, reply.text
    return httpx.URL(reply.json()["url"]).path


def links_in(html: str) -> list[str]:
    (bar,) = re.findall(r'<nav class="preview".*?</nav>', html, re.DOTALL)
    return [unescape(path) for path in re.findall(r'href="([^"]+)"', bar)]


def action_in(html: str) -> str:
    (action,) = re.findall(r'<form[^>]*action="([^"]+)"', html)
    return unescape(action)


async def test_one_walks_through_it_as_somebody_who_answers(
    alice: Tenant, visitor: httpx.AsyncClient, campaign: str
) -> None:
    path = await link(alice, campaign)
    asked = (await visitor.get(path, params={"score": 2})).text
    assert BANNER in asked
    assert 'value="2" required checked' in asked
    more = await visitor.post(action_in(asked), data={"score": "2", "comment": "My secret", "lang": "en"})
    assert "What was the reason?" in more.text
    assert BANNER in more.text
    wrong = await visitor.post(action_in(more.text), data={"part": "more", "lang": "en", "asked": ["reason"]})
    assert (wrong.status_code, "Please answer this one." in wrong.text) == (422, True)
    said = {"part": "more", "lang": "en", "asked": ["reason", "wish", "used"], "q-reason": "delay", "q-wish": "secret"}
    later = await visitor.post(action_in(more.text), data=said)
    assert "How many days late, Robin Sample?" in later.text
    assert "What was the reason?" not in later.text
    thanks = await visitor.post(action_in(later.text), data={"part": "more", "lang": "en", "asked": ["days"]})
    assert "We are sorry." in thanks.text
    assert "ABC-123" in thanks.text
    assert not [page for page in (more, later, thanks) if "secret" in str(page.url) or "secret" in page.text]


async def test_every_page_is_one_link_away(alice: Tenant, visitor: httpx.AsyncClient, campaign: str) -> None:
    first = (await visitor.get(await link(alice, campaign))).text
    pages = [(await visitor.get(path)).text for path in links_in(first)]
    assert all(BANNER in page and links_in(page) == links_in(first) for page in pages)
    words = (
        "How likely are you", "We are sorry.", "Your answer has been recorded.", "Thank you, Robin Sample!",
        "Your answer is 10.", "It can no longer be changed.", "This survey has closed", "This survey has ended",
        "Unsubscribe?",
    )  # fmt: skip
    for page, said in zip(pages, words, strict=True):
        assert said in re.sub(r"<nav.*?</nav>", "", page, flags=re.DOTALL)


async def test_its_forms_lead_on_and_change_nothing(alice: Tenant, visitor: httpx.AsyncClient, campaign: str) -> None:
    path = await link(alice, campaign)
    leave = (await visitor.get(path, params={"leave": ""})).text
    left = await visitor.post(action_in(leave), data={"leave": "yes", "lang": "en"})
    assert "You are unsubscribed" in left.text
    back = await visitor.post(action_in(left.text), data={"return": "yes", "lang": "en"})
    assert "You are subscribed again" in back.text
    disowned = await visitor.post(path, data={"not_me": "yes", "lang": "en"})
    assert "Nothing is kept" in disowned.text
    assert "r…@…" in (await visitor.get(path, params={"not-me": ""})).text
    assert (await visitor.post(path, data={"comment": "No score"})).status_code == 422
    signed = [await visitor.post(f"{path}/signs", data={"sign": sign, "score": "9"}) for sign in ("change", "seen")]
    assert [reply.status_code for reply in signed] == [200, 204]


async def test_it_comes_in_the_language_that_was_asked_for(
    alice: Tenant, visitor: httpx.AsyncClient, campaign: str
) -> None:
    german = (await visitor.get(await link(alice, campaign, language="de"), params={"score": 9})).text
    assert all_words()["de"]["preview"] in german
    english = next(path for path in re.findall(r'href="([^"]+)" lang="en"', german))
    assert BANNER in (await visitor.get(unescape(english))).text


async def test_a_test_mail_leads_there_shown_to_whom_it_was_written(
    alice: Tenant, visitor: httpx.AsyncClient, campaign: str
) -> None:
    mail = (await alice.api.get(f"{campaign}/email-preview")).json()
    (nine,) = re.findall(r"http://\S+score=9\b", mail["text"])
    page = (await visitor.get(httpx.URL(nine).raw_path.decode())).text
    assert BANNER in page
    assert 'value="9" required checked' in page


async def test_its_link_to_unsubscribe_shows_the_page_that_others_would_get(
    alice: Tenant, visitor: httpx.AsyncClient, campaign: str
) -> None:
    mail = (await alice.api.get(f"{campaign}/email-preview", params={"language": "de"})).json()
    (written,) = re.findall(r"Von Umfragen abmelden: (http\S+)", mail["text"])
    (linked,) = re.findall(r'href="([^"]+)"[^>]*>Von Umfragen abmelden<', mail["html"])
    assert unescape(linked) == written
    page = (await visitor.get(httpx.URL(written).raw_path.decode())).text
    assert all_words()["de"]["preview"] in page
    assert "Northwind wird <bdi>r…@…</bdi> nicht mehr um Rückmeldung bitten." in page
    left = (await visitor.post(action_in(page), data={"leave": "yes", "lang": "de"})).text
    assert "Sie sind abgemeldet" in left
    assert all_words()["de"]["preview"] in left


ODD = ["said=x", "said=[]", 'said={"why":1}', "said=" + "[" * 900, "given=99", "state=open"]


@pytest.mark.parametrize("query", ODD)
async def test_an_address_that_somebody_changed_is_no_trouble(
    alice: Tenant, visitor: httpx.AsyncClient, campaign: str, query: str
) -> None:
    path = await link(alice, campaign)
    for what in ("", "&thanks", "&more", "&given=2&more", "&change"):
        assert (await visitor.get(f"{path}?{query}{what}")).status_code == 200


async def test_nobody_else_makes_such_a_link(app: FastAPI, alice: Tenant, charlie: Tenant, campaign: str) -> None:
    path = await link(alice, campaign)
    assert (await charlie.api.get(f"{campaign}/survey-preview")).status_code == 404
    async with client(app) as stranger, a_visitor(app) as visitor:
        assert (await stranger.get(f"{campaign}/survey-preview")).status_code == 401
        for forged in (path[:-1], path + "A", "/s/preview/x", f"/s/preview/{'A' * 500}"):
            for reply in (await visitor.get(forged), await visitor.post(forged, data={"score": "9"})):
                assert reply.status_code == 404
