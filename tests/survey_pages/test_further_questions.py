"""Questions after the scored one: asked as the answers so far decide, each page saved by itself."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "reason", "kind": "one_of", "text": {"en": "What was the reason?", "de": "Was war der Grund?"},
        "is_required": True, "show_if": {"all": [{"of": "band", "any_of": ["detractor"]}]},
        "options": [
            {"id": "price", "text": {"en": "The price", "de": "Der Preis"}},
            {"id": "delay", "text": {"en": "The delay", "de": "Die Verspätung"}},
        ],
    },
    {
        "id": "days", "kind": "scale", "text": {"en": "How many days late, {name|friend}?"},
        "scale": {"lowest": 0, "highest": 7}, "show_if": {"all": [{"of": "reason", "any_of": ["delay"]}]},
    },
    {"id": "wish", "kind": "text", "text": {"en": "One wish?", "de": "Ein Wunsch?"}},
    {
        "id": "used", "kind": "many_of", "text": {"en": "What do you use?"},
        "options": [{"id": "app", "text": {"en": "The app"}}, {"id": "web", "text": {"en": "The site"}}],
    },
]  # fmt: skip


@pytest.fixture
async def curious(app: FastAPI, alice: Tenant) -> Asked:
    return await a_link(app, alice, survey={"questions": QUESTIONS})


async def scored(visitor: httpx.AsyncClient, asked: Asked, score: int, lang: str = "en") -> str:
    return (await visitor.post(asked.path, data={"score": str(score), "lang": lang})).text


async def more(visitor: httpx.AsyncClient, asked: Asked, shown: list[str], **said: Any) -> httpx.Response:
    answers = {f"q-{name}": value for name, value in said.items()}
    return await visitor.post(asked.path, data={"part": "more", "lang": "en", "asked": shown, **answers})


async def answers(asked: Asked) -> Any:
    return (await asked.response() or {})["answers"]


async def test_only_what_concerns_a_person_is_asked(visitor: httpx.AsyncClient, curious: Asked) -> None:
    page = await scored(visitor, curious, 9)
    assert "One wish?" in page
    assert "What was the reason?" not in page
    assert "How many days late" not in page


async def test_an_answer_leads_to_the_next_question(visitor: httpx.AsyncClient, curious: Asked) -> None:
    page = await scored(visitor, curious, 2)
    assert "What was the reason?" in page
    reply = await more(visitor, curious, ["reason", "wish", "used"], reason="delay", wish="", used=["web", "app"])
    assert "How many days late, Jane?" in reply.text
    assert "What was the reason?" not in reply.text
    assert await answers(curious) == {"reason": "delay", "used": ["app", "web"]}
    reply = await more(visitor, curious, ["days", "wish"], days="3", wish="Sooner.")
    assert "We are sorry." in reply.text
    assert await answers(curious) == {"reason": "delay", "used": ["app", "web"], "days": 3, "wish": "Sooner."}
    assert (await curious.response() or {})["score"] == 2


async def test_what_is_required_is_asked_for_again_and_the_rest_is_kept(
    visitor: httpx.AsyncClient, curious: Asked
) -> None:
    await scored(visitor, curious, 2)
    reply = await more(visitor, curious, ["reason", "wish", "used"], wish="A wish")
    assert reply.status_code == 422
    assert "Please answer this one." in reply.text
    assert await answers(curious) == {"wish": "A wish"}


async def test_passing_over_everything_is_the_end(visitor: httpx.AsyncClient, curious: Asked) -> None:
    await scored(visitor, curious, 9)
    reply = await more(visitor, curious, ["wish", "used"], wish=" ")
    assert "Thank you, Jane!" in reply.text
    assert await answers(curious) is None


async def test_what_was_passed_over_is_not_asked_again_on_the_next_pages(
    visitor: httpx.AsyncClient, app: FastAPI, alice: Tenant
) -> None:
    most = {**QUESTIONS[2], "id": "most", "show_if": {"all": [{"of": "days", "at_least": 3}]}}
    asked = await a_link(app, alice, survey={"questions": [*QUESTIONS, most]})
    await scored(visitor, asked, 2)
    reply = await more(visitor, asked, ["reason", "wish", "used"], reason="delay")
    assert shown_on(reply) == ["days"]
    reply = await visitor.post(asked.path, data={"part": "more", "asked": "days", **passed_on(reply), "q-days": "4"})
    assert shown_on(reply) == ["most"]
    reply = await visitor.post(asked.path, data={"part": "more", "asked": "most", **passed_on(reply)})
    assert "We are sorry." in reply.text
    assert shown_on(await visitor.get(f"{asked.path}?more")) == ["wish", "used", "most"]  # whoever comes back may


def shown_on(reply: httpx.Response) -> list[str]:
    return re.findall(r'name="asked" value="(\w+)"', reply.text)


def passed_on(reply: httpx.Response) -> dict[str, list[str]]:
    return {"passed": re.findall(r'name="passed" value="(\w+)"', reply.text)}


async def test_an_answer_is_taken_back_by_emptying_it(visitor: httpx.AsyncClient, curious: Asked) -> None:
    await scored(visitor, curious, 9)
    await more(visitor, curious, ["wish"], wish="Forget this")
    assert await answers(curious) == {"wish": "Forget this"}
    reply = await more(visitor, curious, ["wish"], wish="")
    assert "Forget this" not in reply.text
    assert not await answers(curious)


async def test_nonsense_is_as_if_nothing_had_been_said(visitor: httpx.AsyncClient, curious: Asked) -> None:
    await scored(visitor, curious, 2)
    for said in ({"reason": "weather"}, {"reason": ""}, {"days": "3"}, {"unknown": "x"}, {"reason": ["x", "price"]}):
        assert (await more(visitor, curious, ["reason"], **said)).status_code in {200, 422}
    assert set(await answers(curious) or {}) <= {"reason"}
    assert (await more(visitor, curious, ["days"], days="99999")).status_code == 200


async def test_questions_without_words_in_the_readers_language_are_left_out(
    visitor: httpx.AsyncClient, curious: Asked
) -> None:
    page = await scored(visitor, curious, 2, lang="de")
    assert "Was war der Grund?" in page
    assert "What do you use?" not in page


async def test_nobody_answers_further_questions_before_the_first(visitor: httpx.AsyncClient, curious: Asked) -> None:
    reply = await more(visitor, curious, ["wish"], wish="A wish")
    assert "How likely are you" in reply.text
    assert await curious.response() is None


async def test_whoever_is_erased_has_no_link_any_more(
    visitor: httpx.AsyncClient, alice: Tenant, curious: Asked
) -> None:
    await scored(visitor, curious, 9)
    erased = await alice.api.delete(f"/v1/recipients/rcpt_{curious.recipient_id.hex}")
    assert erased.status_code == 204, erased.text
    for path in (curious.path, f"/u/{curious.token}"):
        assert (await visitor.get(path)).status_code == 404
        assert (await visitor.post(path, data={"score": "3"})).status_code == 404
