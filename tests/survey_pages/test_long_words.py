"""At 400 %, words are broken rather than anybody made to scroll sideways."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from app.domain.mail.letter_body import html_of
from app.domain.scores.metric import METRICS
from tests.conftest import Tenant
from tests.domain.mail.test_letter_bytes import LETTER
from tests.survey_pages.in_browser import LOOKS, a_page
from tests.survey_pages.links import a_link

pytestmark = pytest.mark.slow

LONG = "Weiterempfehlungswahrscheinlichkeit" * 3
TEXT = {"en": f"{LONG} {{name}}?"}
SURVEY: dict[str, Any] = {
    "question": TEXT, "lowest_label": TEXT, "highest_label": TEXT,
    "follow_up": dict.fromkeys(("promoter", "passive", "detractor"), TEXT),
    "thank_you": {"promoter": {"en": {"text": LONG, "link": f"https://{LONG[:60]}.example/x", "share_text": LONG}}},
    "languages": ["en"],
    "questions": [
        {"id": "why", "kind": "many_of", "text": TEXT, "options": [{"id": "a", "text": TEXT}]},
        {"id": "ease", "kind": "scale", "text": TEXT, "scale": {
            "lowest": 0, "highest": 10, "lowest_label": TEXT, "highest_label": TEXT,
        }},
        {"id": "wow", "kind": "text", "text": TEXT},
    ],
}  # fmt: skip
WIDTH = "document.documentElement.scrollWidth"
BROKEN = "[...document.querySelectorAll('.nps .cell')].some(cell => cell.clientHeight > 60)"


@pytest.mark.parametrize("metric", ["nps", "thumbs"])
async def test_no_page_is_wider_than_the_screen(
    browser: Browser, site: str, app: FastAPI, alice: Tenant, metric: str
) -> None:
    asked = await a_link(
        app, alice, survey=SURVEY, campaign={"metric": metric}, person={"name": LONG}, brand={"name": LONG[:80]}
    )
    async with a_page(browser, site, **LOOKS["zoomed"]) as page:
        widths = {}
        for path in ("", "?score=1", "?not-me", "/u/"):
            await page.goto(asked.path + path if path != "/u/" else f"/u/{asked.token}")
            widths[path] = await page.evaluate(WIDTH)
            assert not await page.evaluate(BROKEN)
        await page.goto(f"{asked.path}?score={METRICS[metric].highest}")
        await page.mouse.move(9, 9)
        await page.get_by_role("button", name="Send").click()
        for query in ("more", "thanks", "change"):
            await page.goto(f"{asked.path}?lang=en&{query}")
            widths[query] = await page.evaluate(WIDTH)
    assert set(widths.values()) == {320}, widths


@pytest.mark.parametrize("metric", ["nps", "thumbs", "stars"])
async def test_no_mail_is_wider_than_the_screen(browser: Browser, site: str, metric: str) -> None:
    letter = replace(
        LETTER, metric=METRICS[metric], question=LONG, intro=LONG, lowest_label=LONG, highest_label=LONG,
        brand=replace(LETTER.brand, name=LONG[:80], postal_address=LONG),
    )  # fmt: skip
    async with a_page(browser, site, **LOOKS["zoomed"]) as page:
        await page.set_content(html_of(letter))
        assert await page.evaluate(WIDTH) == 320


async def test_a_thumb_is_saved_as_what_it_says(browser: Browser, site: str, app: FastAPI, alice: Tenant) -> None:
    asked = await a_link(app, alice, campaign={"metric": "thumbs"})
    async with a_page(browser, site) as page:
        await page.goto(f"{asked.path}?lang=en")
        await page.get_by_label("No", exact=True).check()
        await page.get_by_text("Your answer is No. Thank you!").wait_for(timeout=5_000)
