"""People and programs in a real Chromium, on a page that is really served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from tests.survey_pages.links import BROWSER

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1100, "height": 860}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1100, "height": 860}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
    "zoomed": {"color_scheme": "dark", "viewport": {"width": 320, "height": 256}},  # 1280 × 1024 at 400 %
    "forced": {"forced_colors": "active", "viewport": {"width": 1100, "height": 860}},
}
HIDE_THE_DRIVER = "Object.defineProperty(navigator, 'webdriver', {get: () => false})"
LOOKS_ACTIVE = """
    Object.defineProperty(document, 'visibilityState', {get: () => 'visible'});
    document.hasFocus = () => true;
"""


@asynccontextmanager
async def a_page(browser: Browser, site: str, *, stealth: bool = False, **look: Any) -> AsyncIterator[Page]:
    """`stealth`: a browser that denies being driven, as scanners do."""
    settings = {"user_agent": BROWSER, **LOOKS["light"], **look}
    context = await browser.new_context(base_url=site, **settings)
    try:
        if stealth:
            await context.add_init_script(HIDE_THE_DRIVER)
            await context.add_init_script(LOOKS_ACTIVE)
        yield await context.new_page()
    finally:
        await context.close()


async def move(page: Page) -> None:
    await page.mouse.move(200, 200)
    await page.mouse.move(220, 210)


async def saved(page: Page) -> None:
    await page.wait_for_selector("#status:not(:empty)", timeout=5_000)
