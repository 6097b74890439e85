"""How long a survey page keeps whoever uses it waiting, beside an empty page that does nothing.

Interaction to Next Paint, as browsers tell it: from the pointer or key to the picture in which something has changed,
of what somebody does on it the longest. Told in steps of 8 ms, and what took less than 16 is not told at all.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from bench.client import connected
from bench.figures import Figures, Findings, Spread
from bench.links import personal_links
from bench.rounds import Contestant, Plan, take_turns
from bench.stage import Stage

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
CPU_SLOWER = 4  # a phone of some years ago
LEAST_MS = 16.0  # what browsers tell of
SETTLED_SECONDS = 0.15  # until what was painted has been told
PHONE = {"width": 360, "height": 740}
LINKS = 100
VISITS = 3  # in a round
WRITTEN = "Quick and friendly"
EMPTY = (
    "<!doctype html><title>Empty</title><form method=post>"
    + "".join(f"<input type=radio name=score class=score value={score}>" for score in range(11))
    + "<textarea name=comment></textarea><button>Send</button></form>"
)
TELL = """
new PerformanceObserver(list => list.getEntries().forEach(one => { if (one.interactionId) told(one.duration); }))
    .observe({type: 'event', durationThreshold: 16, buffered: true});
"""


async def measure_interaction(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    """Nothing where there is no Chromium."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        return Findings({}, remarks=["interaction: there is no Chromium here, so it was not measured"])
    async with stage.database("bench_interaction") as url, stage.api(url) as api, connected(api.port) as client:
        links = iter(await personal_links(client, stage.tenant.token, LINKS))
        async with _browser(program) as browser:
            visitor = _Visitor(browser, f"http://127.0.0.1:{api.port}")
            contestants = {"survey page": visitor.at(lambda: next(links)), "empty page": visitor.at(lambda: "/empty")}
            rounds = await take_turns(contestants, plan, say)
    ours, empty = ([one.p50_ms or LEAST_MS for one in rounds[name]] for name in contestants)
    found = {
        "interaction_vs_empty": Spread.of(a / b for a, b in zip(ours, empty, strict=True)),
        "interaction_latency": Spread.of(ours),
    }
    return Findings({row: found[row] for row in rows}, rounds)


@asynccontextmanager
async def _browser(program: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class _Visitor:
    browser: Browser
    home: str
    told: list[float] = field(default_factory=list)

    def at(self, path: Callable[[], str]) -> Contestant:
        async def run(_: float) -> Figures:
            """Of each act the quickest of some visits, since a busy machine only adds; of these the longest."""
            started_at = perf_counter()
            visits = [await self._visit(path()) for _ in range(VISITS)]
            took = [min(times) for times in zip(*visits, strict=True)]
            return Figures(VISITS / (perf_counter() - started_at), max(took), max(map(max, visits)))

        return run

    async def _visit(self, path: str) -> list[float]:
        """Chooses a score, writes, and sends: of each the longest interaction, in milliseconds."""
        context = await self.browser.new_context(base_url=self.home, viewport=PHONE)  # type: ignore[arg-type]  # a mapping of its two members
        try:
            page = await self._open(context, path)
            await page.locator(".score").nth(8).click()
            chosen = await self._longest()
            await page.locator("textarea").press_sequentially(WRITTEN)
            written = await self._longest()
            async with page.expect_navigation():
                await page.get_by_role("button", name="Send").click(no_wait_after=True)
            return [chosen, written, await self._longest()]
        finally:
            await context.close()

    async def _longest(self) -> float:
        """Since it was last asked."""
        await asyncio.sleep(SETTLED_SECONDS)
        told, self.told = self.told, []
        return max(told, default=LEAST_MS)

    async def _open(self, context: BrowserContext, path: str) -> Page:
        page = await context.new_page()
        await page.expose_function("told", lambda took: self.told.append(took))  # noqa: PLW0108 - Playwright marks it
        await page.add_init_script(TELL)
        await page.route("**/*", _later)
        await page.goto(path, wait_until="networkidle")
        session = await context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
        return page


async def _later(route: Route) -> Any:
    """A form leaves once its page has told how long the press on its button took."""
    if route.request.is_navigation_request() and route.request.method == "POST":
        await asyncio.sleep(2 * SETTLED_SECONDS)
    if urlsplit(route.request.url).path == "/empty":
        return await route.fulfill(body=EMPTY, content_type="text/html")
    return await route.continue_()
