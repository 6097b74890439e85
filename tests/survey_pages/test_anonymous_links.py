"""Whoever has an anonymous link, because they made it or read the mail, learns nothing of what came through it."""

import re

import httpx
import pytest
from fastapi import FastAPI

from app.operations.reward_codes import add_codes
from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link

SURVEY = {
    "languages": ["en"],
    "reward": {"en": "Your code:"},
    "questions": [
        {"id": "why", "kind": "text", "text": {"en": "What annoyed you?"}, "when": {"bands": ["detractor"]}},
        {"id": "what", "kind": "text", "text": {"en": "What else?"}},
    ],
}
LOOKS = ["", "?thanks", "?more&mine=x", "?change", "?score=3", "?score=9"]


@pytest.fixture
async def hidden(app: FastAPI, alice: Tenant) -> Asked:
    asked = await a_link(app, alice, survey=SURVEY, campaign={"is_anonymous": True})
    async with asked.engine.write() as tx:
        await add_codes(tx, asked.workspace_id, asked.campaign_id, ["THANKS-1"])
    return asked


async def answer(visitor: httpx.AsyncClient, asked: Asked, score: int) -> httpx.Response:
    reply = await visitor.post(asked.path, data={"score": score, "sign": "gesture", "comment": "Because."})
    assert reply.status_code == 200
    return reply


async def looks(visitor: httpx.AsyncClient, asked: Asked) -> list[str]:
    pages = [timeless(await visitor.get(f"{asked.path}{look}")) for look in LOOKS]
    forms: list[dict[str, str]] = [{}, {"part": "more", "asked": "why", "q-why": ""}]
    return pages + [timeless(await visitor.post(f"{asked.path}?thanks", data=form)) for form in forms]


def timeless(page: httpx.Response) -> str:
    """But for the clock that its script begins with."""
    return re.sub(r'data-at="\d+"', "", page.text)


async def test_every_page_of_the_link_is_as_it_was_before_the_answer(visitor: httpx.AsyncClient, hidden: Asked) -> None:
    before = await looks(visitor, hidden)
    await answer(visitor, hidden, 3)
    assert await looks(visitor, hidden) == before
    assert (await hidden.counted(), (await hidden.response() or {})["score"]) == (1, 3)


@pytest.mark.parametrize("sign", ["gesture", "dwell", "seen"])
async def test_what_the_script_is_told_says_nothing_of_the_score(
    visitor: httpx.AsyncClient, hidden: Asked, sign: str
) -> None:
    await answer(visitor, hidden, 3)
    forms = [{"sign": sign, "score": score} for score in (2, 3, 4)]
    told = [(await visitor.post(f"{hidden.path}/signs", data=form)).status_code for form in forms]
    assert told == [204, 204, 204]


async def test_whoever_gave_it_is_thanked_and_goes_on(visitor: httpx.AsyncClient, hidden: Asked) -> None:
    more = await answer(visitor, hidden, 3)
    assert "What annoyed you?" in more.text
    form = {"part": "more", "asked": ["why", "what"], "q-why": "The queue.", "q-what": "Nothing."}
    thanks = await visitor.post(str(more.url), data=form)
    assert "THANKS-1" in thanks.text
    assert "We are sorry." in (await visitor.get(thanks.url)).text
    change = await visitor.get(str(thanks.url).replace("&thanks", "&change"))
    assert "Your answer is 3" in change.text
    assert (await hidden.response() or {})["answers"] == {"why": "The queue.", "what": "Nothing."}


async def test_who_answered_before_does_not_see_what_is_answered_after(
    visitor: httpx.AsyncClient, hidden: Asked
) -> None:
    """Or whoever makes the links could open each of them first."""
    before = timeless(await visitor.get(hidden.path))
    first = str((await answer(visitor, hidden, 9)).url)
    await answer(visitor, hidden, 3)
    assert timeless(await visitor.get(first)) == before
