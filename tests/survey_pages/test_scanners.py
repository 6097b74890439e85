"""Mail scanners against people: who of them counts.

HEAD and GET of every link                    no answer
a headless browser that says so               no answer
a headless browser that hides it, all links   taken out
a program that sends the form of every link   taken out
a program that fills in every field           taken out
people, with and without a script             counted
"""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from app.domain.survey.scanner import Hit
from app.domain.survey.survey_link import HONEYPOT
from app.domain.survey.survey_token import token_digest
from tests.conftest import Tenant
from tests.survey_pages.conftest import a_visitor
from tests.survey_pages.in_browser import a_page, move, saved
from tests.survey_pages.links import Asked, a_link, no_answer_is_counted_wrong

pytestmark = pytest.mark.slow

LINKS = range(11)
DWELLS_MS = 5_500


async def posts_every_form(scanner: httpx.AsyncClient, asked: Asked) -> None:
    for score in LINKS:
        await scanner.get(asked.path, params={"score": score})
        await scanner.post(asked.path, data={"score": str(score), "sign": "", "lang": "en"})


async def dwells_on_links(browser: Browser, site: str, asked: Asked, *, stealth: bool = False) -> None:
    """Opens several at once and stays on each for longer than a glance."""

    async def dwell(score: int) -> None:
        async with a_page(browser, site, stealth=stealth) as page:
            await page.goto(f"{asked.path}?score={score}")
            await page.wait_for_timeout(DWELLS_MS)  # what a scanner does, not what the test waits for

    await asyncio.gather(*map(dwell, (0, 5, 10)))


async def one_person(person: httpx.AsyncClient, asked: Asked, score: int) -> None:
    await person.get(asked.path, params={"score": score})
    form = {"score": str(score), "sign": "", "lang": "en", "comment": "", HONEYPOT: ""}
    reply = await person.post(asked.path, data=form)
    assert reply.status_code == 200


async def fills_in_everything(scanner: httpx.AsyncClient, asked: Asked) -> None:
    """One link only, long after the mail, as if with a browser: by everything else it could be a person."""
    page = (await scanner.get(asked.path, params={"score": 9})).text
    fields = re.findall(r'<(?:input|textarea)(?![^>]*type="(?:hidden|radio|checkbox)")[^>]*name="(\w+)"', page)
    assert len(fields) == 2
    reply = await scanner.post(asked.path, data={"score": "9", "lang": "en", **dict.fromkeys(fields, "test")})
    assert reply.status_code == 200


async def test_head_and_get_of_all_links_is_no_answer_and_is_counted_apart(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app) as scanner:
        for method in ("HEAD", "GET"):
            for score in LINKS:
                await scanner.request(method, asked.path, params={"score": score})
    assert await asked.response() is None
    invitation = await asked.invitation()
    assert (invitation["flag_reason"], invitation["page_opened_at"]) == ("many_links", None)
    assert invitation["scanner_hits"] >= 2


async def test_a_headless_browser_is_no_answer(browser: Browser, site: str, asked: Asked) -> None:
    await dwells_on_links(browser, site, asked)
    assert await asked.response() is None
    assert (await asked.invitation())["page_opened_at"] is None


async def test_a_headless_browser_that_hides_it_is_taken_out(
    app: FastAPI, alice: Tenant, browser: Browser, site: str
) -> None:
    asked = await a_link(app, alice, mailed=timedelta(minutes=5))
    await dwells_on_links(browser, site, asked, stealth=True)
    response = await asked.response()
    assert response is not None, "the rules were not needed"
    assert (response["certainty"], response["excluded_reason"]) == ("probable", "scanner")
    assert await asked.counted() == 0
    async with a_page(browser, site) as page:
        await page.goto(f"{asked.path}?score=9", wait_until="networkidle")
        await move(page)
        await saved(page)
    await until_counted(asked)
    assert (await asked.response() or {})["score"] == 9
    assert (await asked.invitation())["flagged_at"] is None


async def until_counted(asked: Asked) -> None:
    for _ in range(100):
        if await asked.counted():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the answer was not put back")


async def test_a_page_that_was_looked_at_for_a_while_is_probably_answered(
    browser: Browser, site: str, asked: Asked
) -> None:
    """One link, long after the mail: nothing speaks against a person who only reads."""
    async with a_page(browser, site, stealth=True) as page:
        await page.goto(f"{asked.path}?score=9")
        await page.wait_for_selector("#status:not(:empty)", timeout=10_000)
    assert (await asked.response() or {})["certainty"] == "probable"
    assert await asked.counted() == 1
    assert (await asked.invitation())["page_opened_at"] is not None


async def test_a_program_that_sends_every_form_is_flagged_and_a_gesture_puts_the_answer_back(
    app: FastAPI, asked: Asked
) -> None:
    async with a_visitor(app) as scanner:
        await posts_every_form(scanner, asked)
    assert await asked.counted() == 0
    assert (await asked.response() or {})["excluded_reason"] == "scanner"
    assert (await asked.invitation())["flag_reason"] == "many_links"
    assert await asked.events() == ["response.created", "response.excluded"]
    async with a_visitor(app) as person:
        reply = await person.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "9"})
        assert reply.status_code == 200
    assert (await asked.response() or {})["score"] == 9
    assert await asked.counted() == 1
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


@pytest.mark.parametrize("sign", ["", "gesture"])
async def test_a_field_that_no_person_sees_takes_out_who_fills_it_in(app: FastAPI, asked: Asked, sign: str) -> None:
    async with a_visitor(app) as scanner:
        form = {"score": "9", "sign": sign, "lang": "en", HONEYPOT: "Hello"}
        assert (await scanner.post(asked.path, data=form)).status_code == 200
    assert await asked.counted() == 0
    assert (await asked.invitation())["flag_reason"] == "honeypot"
    async with a_visitor(app) as person:
        await person.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "9"})
    assert await asked.counted() == 1


async def test_a_driven_browser_that_fills_in_everything_is_taken_out(
    browser: Browser, site: str, asked: Asked
) -> None:
    """With a real pointer and real keys. A person finds nothing there to fill in."""
    async with a_page(browser, site) as page:
        await page.goto(asked.path, wait_until="networkidle")
        for field in await page.locator("input:not([type]), textarea").all():
            await field.fill("test", force=True)
        await page.locator("input[value='9']").check()
        await page.get_by_role("button", name="Send").click()
        await page.get_by_text("Please press the button once more.").wait_for()
    assert await asked.counted() == 0
    assert (await asked.invitation())["flag_reason"] == "honeypot"


async def test_the_hidden_field_is_there_for_programs_only(browser: Browser, site: str, asked: Asked) -> None:
    async with a_page(browser, site) as page:
        await page.goto(asked.path)
        names = [await box.get_attribute("name") for box in await page.get_by_role("textbox").all()]
        hidden = page.locator(f"input[name={HONEYPOT}]")
        assert names == ["comment"]
        assert await hidden.evaluate("one => [one.tabIndex, one.autocomplete, one.required]") == [-1, "off", False]


async def test_the_hidden_link_of_a_mail_flags_who_follows_it(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app) as scanner:
        await scanner.get(f"{asked.path}?{HONEYPOT}")
        await one_person(scanner, asked, 9)
    assert await asked.counted() == 0
    assert (await asked.invitation())["flag_reason"] == "honeypot"


async def test_a_program_does_not_touch_what_a_person_has_answered(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app) as person:
        await person.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "9"})
    async with a_visitor(app) as scanner:
        await posts_every_form(scanner, asked)
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["excluded_reason"]) == (9, None)


async def test_what_a_person_answered_stays_when_a_program_falls_into_the_honeypot(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app) as visitor:
        await visitor.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "9"})
        await visitor.post(asked.path, data={"score": "9", "sign": "", HONEYPOT: "Hello"})
    assert await asked.counted() == 1


async def test_links_that_are_followed_afterwards_take_no_answer_out(app: FastAPI, asked: Asked) -> None:
    """Of somebody without a script, whose gateway looks at the mail while they answer."""
    async with a_visitor(app) as visitor:
        await one_person(visitor, asked, 9)
        for score in LINKS:
            await visitor.get(asked.path, params={"score": score})
    assert await asked.counted() == 1


async def test_an_answer_before_the_mail_can_have_been_read_is_flagged(app: FastAPI, alice: Tenant) -> None:
    asked = await a_link(app, alice, mailed=timedelta(seconds=1))
    async with a_visitor(app) as scanner:
        await one_person(scanner, asked, 9)
    assert await asked.counted() == 0
    assert (await asked.invitation())["flag_reason"] == "too_soon"


async def test_a_program_that_says_what_it_is_is_flagged(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app, **{"user-agent": "Mozilla/5.0 (compatible; BarracudaCentral)"}) as scanner:
        await one_person(scanner, asked, 9)
    assert await asked.counted() == 0
    assert (await asked.invitation())["flag_reason"] == "program"


async def test_in_a_new_workspace_flags_are_kept_and_take_nothing_out(app: FastAPI, alice: Tenant) -> None:
    asked = await a_link(app, alice, age=timedelta(days=6))
    async with a_visitor(app) as scanner:
        await posts_every_form(scanner, asked)
    assert await asked.counted() == 1
    assert (await asked.invitation())["flag_reason"] == "many_links"


async def test_no_program_votes_and_no_person_is_flagged(
    app: FastAPI, alice: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    """False votes: programs that count. False flags: people that do not. Behind a gateway, programs come first."""
    scanners, fillers, people, guarded = [await some_links(app, alice, 20) for _ in range(4)]
    async with a_visitor(app) as scanner:
        for asked in scanners:
            await posts_every_form(scanner, asked)
        for asked in fillers:
            await fills_in_everything(scanner, asked)
    async with a_visitor(app) as person:
        for number, asked in enumerate(people):
            await one_person(person, asked, number % 11)
        for number, asked in enumerate(guarded):
            await visited_an_hour_ago(app, asked)
            await one_person(person, asked, number % 11)
    voted = sum([await asked.counted() for asked in scanners + fillers])
    kept = sum([await asked.counted() for asked in people + guarded])
    flagged = sum([(await asked.invitation())["flagged_at"] is not None for asked in people + guarded])
    with capsys.disabled():
        print(f"\nfalse votes: {voted} of {len(scanners + fillers)}; false flags: {flagged} of {len(people + guarded)}")
    assert (voted, kept, flagged) == (0, 40, 0)


async def visited_an_hour_ago(app: FastAPI, asked: Asked) -> None:
    """By a gateway that follows all links when the mail arrives."""
    visits, digest = app.state.services.visits, token_digest(asked.token)
    for score in LINKS:
        visits.note(digest, Hit(datetime.now(UTC) - timedelta(hours=1), linked=score))


async def some_links(app: FastAPI, tenant: Tenant, count: int) -> list[Asked]:
    return [await a_link(app, tenant) for _ in range(count)]
