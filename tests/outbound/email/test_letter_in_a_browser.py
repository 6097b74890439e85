"""Mail programs differ; a browser shows at least that it is readable, in any light, width and direction."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext

from app.domain.mail.letter import Letter, Purpose
from app.domain.mail.letter_body import html_of
from app.domain.scores.metric import METRICS
from app.domain.survey.brand import Brand
from tests.dashboard.browser import a_browser, faults
from tests.domain.mail.test_letter_bytes import LETTER

OF_A_SITE = ("landmark-one-main", "region")  # mean nothing inside a mail program
FULL = replace(
    LETTER,
    intro="Hi Robin,\n\nthank you.",
    brand=Brand("Northwind", postal_address="Northwind Ltd\nLondon"),
    purpose=Purpose.TEST,
)
ARABIC = replace(FULL, language="ar", question="ما مدى احتمال أن توصي بنا لصديق أو زميل؟", subject="سؤال")
PHONE, SMALL = {"width": 375, "height": 700}, {"width": 320, "height": 600}


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


async def shown(browser: Browser, letter: Letter, *, with_style: bool = True, **options: Any) -> BrowserContext:
    html = html_of(letter)
    context = await browser.new_context(**options)
    page = await context.new_page()
    await page.set_content(html if with_style else re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    return context


@pytest.mark.parametrize(
    ("letter", "options"),
    [
        (FULL, {}),
        (FULL, {"color_scheme": "dark"}),
        (FULL, {"viewport": SMALL}),
        (FULL, {"with_style": False, "viewport": PHONE}),
        (ARABIC, {}),
        (ARABIC, {"color_scheme": "dark", "viewport": PHONE}),
        (replace(FULL, brand=Brand("Jaune", "#ffd60a"), metric=METRICS["stars"]), {}),
        (replace(FULL, brand=Brand("Nuit", "#000000"), metric=METRICS["thumbs"]), {"color_scheme": "dark"}),
        (replace(FULL, language="fi", metric=METRICS["ces"]), {}),
    ],
)
async def test_a_letter_is_accessible(browser: Browser, letter: Letter, options: dict[str, Any]) -> None:
    context = await shown(browser, letter, **options)
    found = [fault for fault in await faults(context) if not fault.startswith(OF_A_SITE)]
    await context.close()
    assert found == []


@pytest.mark.parametrize(("viewport", "least"), [(PHONE, 27), (SMALL, 22)])
@pytest.mark.parametrize("with_style", [True, False])
async def test_eleven_scores_fit_a_phone_side_by_side(
    browser: Browser, viewport: dict[str, int], least: float, with_style: bool
) -> None:
    context = await shown(browser, FULL, viewport=viewport, with_style=with_style)
    page = context.pages[0]
    boxes = [await cell.bounding_box() for cell in await page.locator("td.cell").all()]
    too_wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await context.close()
    assert len(boxes) == 11
    assert len({box and box["y"] for box in boxes}) == 1
    assert min(box["width"] for box in boxes if box) >= least
    assert min(box["height"] for box in boxes if box) >= 44
    assert not too_wide


async def test_a_scale_runs_the_way_its_language_is_written(browser: Browser) -> None:
    for letter, grows in ((FULL, True), (ARABIC, False)):
        context = await shown(browser, letter)
        cells = context.pages[0].locator("td.cell")
        first, last = await cells.first.bounding_box(), await cells.last.bounding_box()
        await context.close()
        assert first is not None
        assert last is not None
        assert (first["x"] < last["x"]) is grows
