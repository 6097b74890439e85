"""Which further questions are required is said in words, and what is missing is asked for where it is missing."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from app.api.public.survey.words import all_words
from tests.conftest import Tenant
from tests.dashboard.browser import faults
from tests.survey_pages.in_browser import a_page
from tests.survey_pages.links import SURVEY, Asked, a_link
from tests.survey_pages.test_further_questions import more, scored

NINE = list(all_words())


def in_all(text: str) -> dict[str, str]:
    return dict.fromkeys(NINE, text)


USED: dict[str, Any] = {
    "id": "used", "kind": "many_of", "text": in_all("What do you use?"), "is_required": True,
    "options": [{"id": "app", "text": in_all("The app")}, {"id": "web", "text": in_all("The site")}],
}  # fmt: skip
EASE: dict[str, Any] = {
    "id": "ease", "kind": "scale", "text": in_all("How easy was it?"), "scale": {"lowest": 1, "highest": 5},
}  # fmt: skip
WISH: dict[str, Any] = {"id": "wish", "kind": "text", "text": in_all("One wish?")}
NEED: dict[str, Any] = {**WISH, "id": "need", "text": in_all("One need?"), "is_required": True}
PAGE = ["ease", "used", "need", "wish"]


async def asking(app: FastAPI, alice: Tenant, *questions: dict[str, Any]) -> Asked:
    survey = {"languages": NINE, "question": in_all("How likely?"), "questions": questions}
    return await a_link(app, alice, survey={**SURVEY, "follow_up": {}, "thank_you": {}, **survey})


@pytest.fixture
async def strict(app: FastAPI, alice: Tenant) -> Asked:
    return await asking(app, alice, EASE, USED, NEED, WISH)


@pytest.mark.parametrize("language", NINE)
async def test_what_is_required_says_so_beside_the_question(
    visitor: httpx.AsyncClient, strict: Asked, language: str
) -> None:
    words, html = all_words()[language], await scored(visitor, strict, 9, language)
    mark = f'<span class="must">{words["must"]}</span>'
    assert f"<legend>What do you use? {mark}</legend>" in html
    assert f'<label for="q-need">One need? {mark}</label>' in html
    assert html.count(mark) == 2
    assert f"<h1>{words['more_required']}</h1>" in html
    assert f">{words['stop']}</a>" in html
    assert words["more"] not in html
    assert f">{words['skip']}</a>" not in html


async def test_its_mark_is_in_the_language_it_is_in(visitor: httpx.AsyncClient, app: FastAPI, alice: Tenant) -> None:
    polish = {"languages": ["pl"], "default_language": "pl", "question": {"pl": "Jak bardzo?"}}
    asked = await a_link(app, alice, survey={**polish, "questions": [{**NEED, "text": {"pl": "Dlaczego?"}}]})
    assert 'Dlaczego? <span class="must" lang="en" dir="ltr">Required</span>' in await scored(visitor, asked, 9, "pl")


async def test_where_nothing_is_required_nothing_is_marked(
    visitor: httpx.AsyncClient, app: FastAPI, alice: Tenant
) -> None:
    html = await scored(visitor, await asking(app, alice, EASE, WISH), 9)
    assert "A little more, if you like" in html
    assert "Skip</a>" in html
    assert 'class="must"' not in html
    assert "Optional" not in html


async def test_beside_what_is_required_a_text_that_is_not_says_so_too(
    visitor: httpx.AsyncClient, strict: Asked
) -> None:
    html = await scored(visitor, strict, 9)
    assert re.findall(r'name="q-(\w+)" [^>]*placeholder="Optional', html) == ["wish"]


async def test_a_missing_answer_is_asked_for_at_its_question_and_the_rest_stays(
    visitor: httpx.AsyncClient, strict: Asked
) -> None:
    await scored(visitor, strict, 9)
    reply = await more(visitor, strict, PAGE, ease="4", need=" ", wish="A <wish>")
    assert reply.status_code == 422
    wrong = re.findall(r'<p class="wrong" id="(wrong-\w+)">Please answer this one.</p>', reply.text)
    assert wrong == ["wrong-used", "wrong-need"]
    assert '<fieldset class="part" aria-describedby="wrong-used">' in reply.text
    (need,) = re.findall(r'<textarea id="q-need".*?>', reply.text)
    assert 'aria-describedby="wrong-need" aria-invalid="true"' in need
    (focused,) = re.findall(r"<\w+[^>]* autofocus[^>]*>", reply.text)
    assert 'name="q-used" value="app"' in focused
    assert re.findall(r'name="q-ease" value="(\d)" checked', reply.text) == ["4"]
    assert "A &lt;wish&gt;</textarea>" in reply.text
    assert "autofocus" not in (await more(visitor, strict, PAGE, used="web", need="x")).text


async def test_what_was_chosen_and_written_stays_where_only_a_text_is_missing(
    visitor: httpx.AsyncClient, strict: Asked
) -> None:
    await scored(visitor, strict, 9)
    html = (await more(visitor, strict, PAGE, used=["web", "app"], need="", wish="A wish")).text
    assert re.findall(r'value="(\w+)" checked', html) == ["app", "web"]
    (focused,) = re.findall(r"<\w+[^>]* autofocus[^>]*>", html)
    assert 'id="q-need"' in focused


async def test_without_a_score_one_is_asked_for_at_the_question_and_the_rest_stays(
    visitor: httpx.AsyncClient, strict: Asked
) -> None:
    reply = await visitor.post(strict.path, data={"comment": "Well", "may_contact": "yes", "lang": "en"})
    assert reply.status_code == 422
    assert '<fieldset class="nps" aria-describedby="wrong">' in reply.text
    assert '<p class="wrong" id="wrong">Please choose a score first.</p>' in reply.text
    (focused,) = re.findall(r"<\w+[^>]* autofocus[^>]*>", reply.text)
    assert 'name="score" value="0"' in focused
    assert 'name="may_contact" value="yes" checked' in reply.text
    assert "Well</textarea>" in reply.text


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
async def test_a_browser_goes_to_what_is_missing_and_tells_why(
    browser: Browser, site: str, strict: Asked, script: bool
) -> None:
    async with a_page(browser, site, bypass_csp=True, java_script_enabled=script) as page:
        await page.goto(f"{strict.path}?score=9&lang=en")
        await page.mouse.move(30, 30)
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("textbox", name="One need? Required").fill("A need")
        await page.get_by_role("group", name="How easy was it?").get_by_label("4").check()
        await page.get_by_role("button", name="Send").click()
        asked = page.get_by_role("group", name="What do you use? Required")
        await asked.get_by_text("Please answer this one.").wait_for()
        assert await page.locator("input:focus").get_attribute("value") == "app"
        assert await page.get_by_role("textbox", name="One need? Required").input_value() == "A need"
        assert await page.get_by_label("4").is_checked()
        if script:
            assert await faults(page.context) == []
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Thank you!").wait_for()
    assert (await strict.response() or {})["answers"] == {"ease": 4, "need": "A need", "used": ["app"]}
