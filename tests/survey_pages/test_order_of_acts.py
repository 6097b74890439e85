"""Requests of one page that overtake each other: what was done last counts, whatever arrives last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Request, Route

from app.api.public.survey.visits import Visits
from tests.conftest import Tenant
from tests.survey_pages.in_browser import a_page, move
from tests.survey_pages.links import Asked, a_link, no_answer_is_counted_wrong


def ago(seconds: float) -> str:
    """By the clock of a page that was shown before."""
    return str(int((datetime.now(UTC) - timedelta(seconds=seconds)).timestamp() * 1000))


async def sent(visitor: httpx.AsyncClient, asked: Asked, **form: Any) -> str:
    reply = await visitor.post(asked.path, data={"lang": "en", "sign": "gesture", **form})
    assert reply.status_code == 200
    return reply.text


async def chose(visitor: httpx.AsyncClient, asked: Asked, score: int, at: str, sign: str = "change") -> int:
    form = {"sign": sign, "score": str(score), "at": at}
    return (await visitor.post(f"{asked.path}/signs", data=form)).status_code


@pytest.fixture(params=["the same process", "another process"])
def elsewhere(request: pytest.FixtureRequest, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What happens next meets a process that has seen nothing of what happened before."""

    def go() -> None:
        if request.param == "another process":
            monkeypatch.setattr(app.state.services, "visits", Visits())

    return go


async def test_a_choice_that_arrives_after_send_changes_nothing(
    visitor: httpx.AsyncClient, asked: Asked, elsewhere: Any
) -> None:
    chosen_at = ago(5)
    await chose(visitor, asked, 9, ago(4))
    await sent(visitor, asked, score="9", comment="I meant nine.", at=ago(3))
    elsewhere()
    assert await chose(visitor, asked, 3, chosen_at) == 204
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["comment"]) == (9, "I meant nine.")
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


async def test_a_choice_that_arrives_after_send_without_a_comment_changes_nothing_either(
    visitor: httpx.AsyncClient, asked: Asked, elsewhere: Any
) -> None:
    """Send says what is known already, and later than what is on its way."""
    await chose(visitor, asked, 9, ago(6))
    before = await asked.events()
    await sent(visitor, asked, score="9")
    assert await asked.events() == before
    elsewhere()
    assert await chose(visitor, asked, 3, ago(5)) == 204
    assert (await asked.response() or {})["score"] == 9


async def test_of_two_choices_the_later_stands_in_whatever_order_they_arrive(
    visitor: httpx.AsyncClient, asked: Asked, elsewhere: Any
) -> None:
    assert await chose(visitor, asked, 9, ago(2)) == 200
    elsewhere()
    assert await chose(visitor, asked, 3, ago(4)) == 204
    assert (await asked.response() or {})["score"] == 9
    assert await chose(visitor, asked, 10, ago(1)) == 200
    assert (await asked.response() or {})["score"] == 10


async def test_what_is_chosen_on_a_page_that_was_shown_after_send_counts(
    visitor: httpx.AsyncClient, asked: Asked, elsewhere: Any
) -> None:
    await sent(visitor, asked, score="9", at="9999999999999")  # whatever clock that was
    elsewhere()
    page = (await visitor.get(asked.path, params={"change": ""})).text
    shown_at = page.partition('data-at="')[2].partition('"')[0]
    assert await chose(visitor, asked, 3, shown_at) == 200
    assert (await asked.response() or {})["score"] == 3


async def test_send_counts_whatever_the_clock_of_its_page_says(
    visitor: httpx.AsyncClient, asked: Asked, elsewhere: Any
) -> None:
    for score, at in enumerate(("9999999999999", "1", "", "x", "0")):
        await chose(visitor, asked, 10, ago(-30))
        elsewhere()
        await sent(visitor, asked, score=str(score), at=at)
        assert (await asked.response() or {})["score"] == score


async def test_a_choice_on_an_earlier_page_changes_nothing_that_was_sent_from_a_later_one(
    visitor: httpx.AsyncClient, asked: Asked, elsewhere: Any
) -> None:
    await sent(visitor, asked, score="9", sign="")  # without a script
    elsewhere()
    assert await chose(visitor, asked, 3, ago(2)) == 204
    assert (await asked.response() or {})["score"] == 9


async def test_an_anonymous_answer_is_not_overtaken_either_and_no_time_is_kept(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    asked = await a_link(app, alice, campaign={"is_anonymous": True})
    await sent(visitor, asked, score="9", at=ago(1))
    assert await chose(visitor, asked, 3, ago(5)) == 204
    response = await asked.response()
    assert response is not None
    assert (response["score"], max(response["client_sequences"].values())) == (9, 1)
    assert await chose(visitor, asked, 3, ago(0)) == 200  # on a page that was shown later, as ever


@pytest.mark.parametrize("has_answered", [True, False])
async def test_a_choice_that_arrives_after_that_is_not_me_is_nobodys(
    visitor: httpx.AsyncClient, asked: Asked, has_answered: bool
) -> None:
    if has_answered:
        await chose(visitor, asked, 3, ago(6))
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert await chose(visitor, asked, 4, ago(5)) == 204
    assert await asked.counted() == 0


@pytest.mark.slow
async def test_a_slow_request_of_a_real_page_does_not_change_what_was_sent(
    browser: Browser, site: str, asked: Asked
) -> None:
    held: list[Route] = []

    async def hold(route: Route, request: Request) -> None:
        if "score=3" in (request.post_data or "") or held:
            held.append(route)
        else:
            await route.continue_()

    async with a_page(browser, site) as page:
        await page.goto(asked.path, wait_until="networkidle")
        await move(page)
        bodies: list[str] = []
        page.on("request", lambda request: bodies.append(request.post_data or ""))
        await page.route("**/signs", hold)
        await page.locator("input[value='3']").check()
        await page.locator("input[value='9']").check()
        await page.get_by_role("button", name="Send").click()
        await page.get_by_text("Thank you").first.wait_for()
        late = next(body for body in bodies if "sign=change" in body and "score=3" in body)
        async with httpx.AsyncClient(base_url=site) as network:
            form = {"content-type": "application/x-www-form-urlencoded"}
            assert (await network.post(f"{asked.path}/signs", content=late, headers=form)).status_code == 204
        assert (await asked.response() or {})["score"] == 9
        await page.goto(f"{asked.path}?change", wait_until="networkidle")
        await page.unroute("**/signs")
        await move(page)
        await page.locator("input[value='10']").check()
        await page.locator("#status", has_text="10").wait_for()
    assert (await asked.response() or {})["score"] == 10
