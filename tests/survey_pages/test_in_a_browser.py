"""What only a browser can tell: that everybody can see, reach and use the page, and what its script does."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page

from app.api.public.survey.static import FOLDER
from app.domain.scores.metric import METRICS
from app.operations.logos import put_logo
from tests.conftest import Tenant
from tests.dashboard.browser import faults
from tests.pictures import a_png
from tests.survey_pages.in_browser import LOOKS, a_page, move, saved
from tests.survey_pages.links import Asked, a_link

pytestmark = pytest.mark.slow

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "why", "kind": "many_of", "text": {"en": "What mattered?", "ar": "ما المهم؟"},
        "options": [{"id": "price", "text": {"en": "Price", "ar": "السعر"}}, {"id": "speed", "text": {"en": "Speed"}}],
    },
    {
        "id": "ease", "kind": "scale", "text": {"en": "How easy was it?"}, "is_required": True,
        "scale": {"lowest": 0, "highest": 10, "lowest_label": {"en": "Hard"}, "highest_label": {"en": "Easy"}},
    },
    {"id": "wow", "kind": "text", "text": {"en": "What would wow you?"}},
]  # fmt: skip
DRAWN = "logo => [logo.naturalWidth, logo.width, logo.height]"
SHIFTS = """() => new Promise(told => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(one => { sum += one.value; }))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => told(sum), 100);
})"""
LINE_OF_SIGHT = "document.documentElement.scrollWidth"


@pytest.fixture
async def long_survey(app: FastAPI, alice: Tenant) -> Asked:
    """Of a brand with a logo."""
    asked = await a_link(app, alice, survey={"questions": QUESTIONS})
    async with asked.engine.write() as tx:
        await put_logo(tx, asked.workspace_id, a_png(480, 120, see_through=True), now=datetime.now(UTC))
    return asked


async def every_state(page: Page, asked: Asked) -> AsyncIterator[str]:
    """Goes through all of them, and says where it is."""
    await page.goto("/s/" + "x" * 22)
    yield "unknown"
    for query in ("?score=9", "?score=2&lang=ar", "?not-me", "?lang=de"):
        await page.goto(asked.path + query)
        yield query
    unsubscribe = asked.path.replace("/s/", "/u/")
    await page.goto(unsubscribe)
    yield "unsubscribe"
    await page.goto(f"{asked.path}?score=9")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_url("**&more")
    yield "more"
    await page.get_by_role("link", name="Stop here").click()
    await page.wait_for_url("**&thanks")
    yield "thanks"
    for query in ("", "?change", "?thanks&lang=ar"):
        await page.goto(asked.path + query)
        yield f"answered{query}"
    await page.goto(unsubscribe)
    await page.get_by_role("button", name="Unsubscribe").click()
    yield "unsubscribed"


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_has_nothing_against_any_state(browser: Browser, site: str, long_survey: Asked, look: str) -> None:
    """Its script is not ours, so the policy is off here; another test holds it."""
    async with a_page(browser, site, bypass_csp=True, **LOOKS[look]) as page:
        async for state in every_state(page, long_survey):
            assert await faults(page.context) == [], state
            assert await page.evaluate(LINE_OF_SIGHT) <= LOOKS[look]["viewport"]["width"], state


@pytest.mark.parametrize("look", ["light", "phone"])
async def test_a_preview_can_be_walked_through(
    browser: Browser, site: str, alice: Tenant, long_survey: Asked, look: str
) -> None:
    reply = await alice.api.get(f"/v1/campaigns/camp_{long_survey.campaign_id.hex}/survey-preview")
    async with a_page(browser, site, bypass_csp=True, **LOOKS[look]) as page:
        await page.goto(httpx.URL(reply.json()["url"]).raw_path.decode())
        await page.get_by_label("9", exact=True).check()
        await saved(page)
        await page.get_by_role("button", name="Send").click()
        await page.get_by_label("10, Easy").check()
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("heading", name="Thank you!").wait_for()
        assert await page.get_by_role("navigation", name="Preview: nothing is stored.").is_visible()
        assert await faults(page.context) == []
        assert await page.evaluate(LINE_OF_SIGHT) <= LOOKS[look]["viewport"]["width"]
    assert await long_survey.response() is None


@pytest.mark.parametrize("metric", METRICS)
async def test_axe_has_nothing_against_any_scale(
    browser: Browser, site: str, app: FastAPI, alice: Tenant, metric: str
) -> None:
    asked = await a_link(app, alice, campaign={"metric": metric}, brand={"accent": "#ffd400"})
    for look in ("light", "dark", "zoomed"):
        async with a_page(browser, site, bypass_csp=True, **LOOKS[look]) as page:
            await page.goto(f"{asked.path}?score={METRICS[metric].highest}")
            assert await faults(page.context) == []
            assert await page.evaluate(LINE_OF_SIGHT) <= LOOKS[look]["viewport"]["width"]


async def test_the_policy_is_never_broken_and_nothing_comes_from_elsewhere(
    browser: Browser, site: str, long_survey: Asked
) -> None:
    asked, said = set(), []
    async with a_page(browser, site) as page:
        page.on("request", lambda request: asked.add(request.url))
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        async for _ in every_state(page, long_survey):
            drawn = page.get_by_role("img", name="Northwind")
            assert await drawn.count() == 0 or await drawn.evaluate(DRAWN) == [480, 192, 48]
            await move(page)
    assert [line for line in said if "404" not in line] == []
    assert [url for url in asked if not url.startswith(site)] == []


async def test_the_first_visit_fits_into_ten_kilobytes(browser: Browser, site: str, asked: Asked) -> None:
    """As it goes over the wire, headers and all."""
    sizes = {}
    async with a_page(browser, site) as page:
        replies: list[Any] = []
        page.on("response", lambda reply: replies.append(reply))  # noqa: PLW0108 - Playwright marks its listeners
        await page.goto(f"{asked.path}?score=9", wait_until="networkidle")
        for reply in replies:
            sent = await reply.request.sizes()
            sizes[reply.url] = sent["responseHeadersSize"] + sent["responseBodySize"]
    print({url.rpartition("/")[2].partition("?")[0][:12]: size for url, size in sizes.items()}, sum(sizes.values()))
    assert len(sizes) <= 4
    assert sum(sizes.values()) <= 10_000
    assert len(gzip.compress((FOLDER / "survey.js").read_bytes(), 9)) <= 2_000


async def test_a_logo_is_one_request_more_and_moves_nothing(browser: Browser, site: str, long_survey: Asked) -> None:
    asked: list[str] = []
    async with a_page(browser, site) as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(long_survey.path, wait_until="networkidle")
        shifts = await page.evaluate(SHIFTS)
    assert len(asked) == 5
    assert len([url for url in asked if "/s/logos/" in url]) == 1
    assert shifts == 0


async def test_a_gesture_confirms_the_score_of_the_link_at_once(browser: Browser, site: str, asked: Asked) -> None:
    async with a_page(browser, site) as page:
        await page.goto(f"{asked.path}?score=9", wait_until="networkidle")
        assert await asked.response() is None
        sent = page.wait_for_event("request", predicate=lambda request: request.url.endswith("/signs"), timeout=400)
        waiting = asyncio.ensure_future(sent)
        await move(page)
        await waiting
        await saved(page)
        assert await page.get_by_role("status").inner_text() == "Your score of 9 is saved. Add a comment if you like."
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["certainty"]) == (9, "confirmed")


@pytest.mark.parametrize("way", ["wheel", "keydown", "touch"])
async def test_every_kind_of_gesture_will_do(browser: Browser, site: str, asked: Asked, way: str) -> None:
    async with a_page(browser, site, has_touch=True) as page:
        await page.goto(f"{asked.path}?score=7", wait_until="networkidle")
        match way:
            case "wheel":
                await page.mouse.wheel(0, 50)
            case "keydown":
                await page.keyboard.press("Tab")
            case _:
                await page.touchscreen.tap(5, 5)
        await saved(page)
    assert await asked.counted() == 1


async def test_without_a_score_in_the_link_moving_is_no_answer(browser: Browser, site: str, asked: Asked) -> None:
    async with a_page(browser, site) as page:
        await page.goto(asked.path, wait_until="networkidle")
        await move(page)
        await page.get_by_label("8", exact=True).check()
        await saved(page)
    assert (await asked.response() or {})["score"] == 8


async def test_events_that_a_program_makes_are_no_gesture(browser: Browser, site: str, asked: Asked) -> None:
    async with a_page(browser, site) as page:
        await page.goto(f"{asked.path}?score=9", wait_until="networkidle")
        await page.evaluate("""() => {
            for (const kind of ['pointermove', 'pointerdown', 'wheel', 'keydown', 'touchstart', 'change'])
                document.getElementById('comment').dispatchEvent(new Event(kind, {bubbles: true}));
            document.querySelector('.score').click();
        }""")
        await page.goto(asked.path, wait_until="networkidle")
    assert await asked.response() is None


async def test_arrow_keys_pass_over_scores_and_only_the_last_is_saved(
    browser: Browser, site: str, asked: Asked
) -> None:
    async with a_page(browser, site) as page:
        await page.goto(asked.path, wait_until="networkidle")
        await page.get_by_label("0, Not at all likely").focus()
        for _ in range(4):
            await page.keyboard.press("ArrowRight")
        await saved(page)
    assert (await asked.response() or {})["score"] == 4
    assert await asked.events() == ["response.created"]


async def test_what_was_typed_is_never_sent_before_send(browser: Browser, site: str, asked: Asked) -> None:
    bodies: list[str] = []
    async with a_page(browser, site) as page:
        page.on("request", lambda request: bodies.append(f"{request.url} {request.post_data or ''}"))
        await page.goto(f"{asked.path}?score=9", wait_until="networkidle")
        await page.get_by_label("What do you like most?").type("My secret")
        await saved(page)
        await page.get_by_label("3", exact=True).check()
        await page.goto("about:blank")
    assert not any("secret" in body for body in bodies)
    async with a_page(browser, site) as page:
        await page.goto(f"{asked.path}?change")
        assert await page.get_by_label("What went wrong, and what should we fix first?").input_value() == ""
    assert (await asked.response() or {})["comment"] is None


async def test_the_question_below_follows_the_band_also_without_a_script(
    browser: Browser, site: str, asked: Asked
) -> None:
    for script in (False, True):  # with one, choosing is answering
        async with a_page(browser, site, java_script_enabled=script) as page:
            await page.goto(asked.path)
            await page.get_by_role("textbox", name="Is there anything you would like to add?").wait_for()
            for score, label in ((9, "What do you like most?"), (7, "What is missing?"), (0, "What went wrong, and")):
                await page.locator(f"input[value='{score}']").check()
                await page.get_by_role("textbox", name=label).wait_for()


async def test_everything_works_without_a_script(browser: Browser, site: str, long_survey: Asked) -> None:
    async with a_page(browser, site, java_script_enabled=False) as page:
        await page.goto(f"{long_survey.path}?score=9")
        await page.get_by_label("What do you like most?").fill("Quick and friendly")
        await page.get_by_role("button", name="Send").click()
        await page.get_by_label("Speed").check()
        await page.get_by_label("10, Easy").check()
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("heading", name="Thank you!").wait_for(timeout=5_000)
    response = await long_survey.response()
    assert response is not None
    assert (response["score"], response["comment"]) == (9, "Quick and friendly")
    assert response["answers"] == {"why": ["speed"], "ease": 10}


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, site: str, asked: Asked) -> None:
    async with a_page(browser, site) as page:
        await page.goto(f"{asked.path}?score=9")
        reached = []
        for _ in range(9):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate(FOCUS))
    assert [one["name"] for one in reached[:4]] == ["score", "comment", "may_contact", ""]
    assert [one for one in reached[:8] if not one["outlined"]] == []


FOCUS = """() => {
    const one = document.activeElement, cell = one.closest('.cell');
    const outlined = style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    return {name: one.name || '', outlined: outlined(getComputedStyle(cell || one))};
}"""
