"""What only a browser can tell: that pages can be seen, reached and used by everybody, and load nothing from afar."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from app.dashboard.cookies import SESSION
from app.dashboard.places import LOG_IN, delivery_path, endpoint_path, replay_path
from tests.conftest import Tenant
from tests.dashboard.browser import a_browser, faults
from tests.dashboard.reader import a_reader
from tests.dashboard.scenery import Scenery

pytestmark = pytest.mark.slow

LIST = "/dashboard/webhooks"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
    "forced": {"forced_colors": "active", "viewport": {"width": 1280, "height": 900}},
}


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser


@asynccontextmanager
async def a_page(browser: Browser, site: str, key: str | None = None, **look: Any) -> AsyncIterator[Page]:
    """With the session of somebody who has logged in with the key, if there is one."""
    context = await browser.new_context(base_url=site, **look)
    try:
        page = await context.new_page()
        if key is not None:
            await context.add_cookies([{"name": SESSION, "value": await a_session(site, key), "url": site}])
            await page.goto(LIST)
        yield page
    finally:
        await context.close()


async def a_session(site: str, key: str) -> str:
    async with a_reader(site) as reader:
        await reader.log_in(key)
        return reader.http.cookies[SESSION]


def places(scenery: Scenery) -> list[str]:
    return [
        LIST, f"{LIST}?state=cancelled", endpoint_path(scenery.unsteady), endpoint_path(scenery.gone),
        endpoint_path(scenery.quiet), delivery_path(scenery.unsteady, scenery.exhausted),
        delivery_path(scenery.healthy, scenery.delivered), replay_path(scenery.unsteady), "/dashboard/nothing",
    ]  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_has_nothing_against_any_page(
    browser: Browser, site: str, alice: Tenant, scenery: Scenery, look: str
) -> None:
    """Its script is not ours, so the policy is off here; another test holds it."""
    async with a_page(browser, site, bypass_csp=True, **LOOKS[look]) as page:
        await page.goto(LOG_IN)
        assert await faults(page.context) == []
        await page.fill("#key", "wrong")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#reason")
        assert await faults(page.context) == []
    async with a_page(browser, site, alice.secret_key, bypass_csp=True, **LOOKS[look]) as page:
        for path in places(scenery):
            await page.goto(path)
            await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert await faults(page.context) == [], path


async def test_axe_would_have_something_against_a_bad_page(browser: Browser, site: str) -> None:
    async with a_page(browser, site, bypass_csp=True) as page:
        await page.set_content("<html><main><h1>Hello</h1><input><p style='color: #ccc'>faint</p></main></html>")
        found = " ".join(await faults(page.context))
    assert "label: " in found
    assert "color-contrast: " in found
    assert "html-has-lang: " in found


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_nothing_scrolls_sideways_on_the_smallest_phone(
    browser: Browser, site: str, alice: Tenant, scenery: Scenery, direction: str
) -> None:
    look = {"viewport": {"width": 320, "height": 640}}
    async with a_page(browser, site, alice.secret_key, **look) as page:
        for path in places(scenery):
            await page.goto(path)
            await page.evaluate("direction => document.documentElement.dir = direction", direction)
            await page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path


async def test_nothing_runs_nothing_is_refused_and_nothing_comes_from_elsewhere(
    browser: Browser, site: str, alice: Tenant, scenery: Scenery
) -> None:
    asked, said = set(), []
    async with a_page(browser, site, alice.secret_key) as page:
        page.on("request", lambda request: asked.add(request.url))
        page.on("console", lambda line: said.append(line.text))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        for path in places(scenery):
            await page.goto(path)
    assert [line for line in said if "404" not in line] == []
    assert asked
    assert [url for url in asked if not url.startswith(site)] == []


async def test_everything_works_without_a_script(browser: Browser, site: str, alice: Tenant, scenery: Scenery) -> None:
    async with a_page(browser, site, java_script_enabled=False) as page:
        await page.goto(LIST)
        await page.wait_for_selector("#key:focus")  # nobody has to click
        await page.keyboard.type(alice.secret_key)
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Data warehouse").click()
        await page.get_by_role("button", name="Send a test event").click()
        assert await page.get_by_role("status").inner_text() != ""
        await page.get_by_text("Disable…").click()
        await page.get_by_role("button", name="Disable it").click()
        assert "disabled" in await page.get_by_role("status").inner_text()


async def test_a_notice_has_the_focus_after_an_act(
    browser: Browser, site: str, alice: Tenant, scenery: Scenery
) -> None:
    """So a screen reader says it, and the next Tab goes on from there."""
    async with a_page(browser, site, alice.secret_key) as page:
        await page.goto(delivery_path(scenery.unsteady, scenery.exhausted))
        await page.get_by_role("button", name="Try again now").click()
        await page.wait_for_selector("#notice")
        assert await page.evaluate("document.activeElement.id") == "notice"


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    browser: Browser, site: str, alice: Tenant, scenery: Scenery
) -> None:
    async with a_page(browser, site, alice.secret_key) as page:
        for path in (LIST, endpoint_path(scenery.unsteady), delivery_path(scenery.unsteady, scenery.exhausted)):
            await page.goto(path)
            count = await page.evaluate(f"[...document.querySelectorAll('{REACHABLE}')].filter({SEEN}).length")
            reached = []
            for _ in range(count):
                await page.keyboard.press("Tab")
                reached.append(await page.evaluate(FOCUS))
            assert len({one["place"] for one in reached}) == count, path
            assert [one for one in reached if not one["outlined"]] == [], path
            assert reached[0]["text"] == "Skip to the content"


async def test_the_first_stop_skips_to_the_content(browser: Browser, site: str, alice: Tenant) -> None:
    async with a_page(browser, site, alice.secret_key) as page:
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "content"


async def test_nothing_moves_for_those_who_asked_for_that(browser: Browser, site: str, alice: Tenant) -> None:
    moving = "[...document.querySelectorAll('*')].some(one => parseFloat(getComputedStyle(one).transitionDuration) > 0)"
    async with a_page(browser, site, alice.secret_key, reduced_motion="reduce") as page:
        assert not await page.evaluate(moving)
    async with a_page(browser, site, alice.secret_key, reduced_motion="no-preference") as page:
        assert await page.evaluate(moving)


REACHABLE = "a[href], button, summary, input:not([type=hidden]), pre[tabindex]"
SEEN = "one => one.checkVisibility() && !one.closest('details:not([open]) > :not(summary)')"
FOCUS = """() => {
    const one = document.activeElement, own = getComputedStyle(one), after = getComputedStyle(one, '::after');
    const outlined = style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    return {place: [...document.querySelectorAll('*')].indexOf(one), text: one.innerText,
            outlined: outlined(own) || outlined(after)};
}"""
