"""Of people who only look at the page: what they chose counts while nothing speaks against them."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api.public.survey.visits import Visits
from tests.survey_pages.links import Asked, no_answer_is_counted_wrong


async def looked(visitor: httpx.AsyncClient, asked: Asked, score: int) -> int:
    """Follows the link of a score and stays for four seconds."""
    await visitor.get(asked.path, params={"score": score})
    return await stayed(visitor, asked, score)


async def stayed(visitor: httpx.AsyncClient, asked: Asked, score: int) -> int:
    return (await visitor.post(f"{asked.path}/signs", data={"sign": "dwell", "score": str(score)})).status_code


async def stands(asked: Asked) -> tuple[Any, ...]:
    response = await asked.response()
    assert response is not None
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)
    return response["score"], response["certainty"], response["excluded_reason"]


@pytest.fixture
def a_minute_later(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What happened on links before is too long ago to speak against anybody."""
    return lambda: monkeypatch.setattr(app.state.services, "visits", Visits())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_following_links_takes_no_answer_out(visitor: httpx.AsyncClient, asked: Asked, method: str) -> None:
    assert await looked(visitor, asked, 9) == 200
    for score in range(11):
        await visitor.request(method, asked.path, params={"score": score})
    await visitor.request(method, f"{asked.path}?subject")
    assert await stands(asked) == (9, "probable", None)
    assert await asked.events() == ["response.created"]
    assert (await asked.invitation())["flag_reason"] == "many_links"


async def test_whoever_looks_again_when_nothing_speaks_against_them_counts_with_that(
    visitor: httpx.AsyncClient, asked: Asked, a_minute_later: Any
) -> None:
    assert await looked(visitor, asked, 9) == 200
    assert await looked(visitor, asked, 10) == 204
    assert await stands(asked) == (9, "probable", "scanner")
    a_minute_later()
    assert await looked(visitor, asked, 10) == 200
    assert await stands(asked) == (10, "probable", None)
    assert (await asked.invitation())["flag_reason"] is None


async def test_an_answer_that_was_disowned_is_not_brought_back_by_looking(
    visitor: httpx.AsyncClient, asked: Asked, a_minute_later: Any
) -> None:
    await looked(visitor, asked, 9)
    await visitor.post(asked.path, data={"not_me": "yes"})
    a_minute_later()
    assert await looked(visitor, asked, 9) == 204
    assert await stands(asked) == (9, "probable", "not_me")
    for page in ("thanks", "more"):
        assert "Thank you" not in (await visitor.get(asked.path, params={page: ""})).text


async def test_whoever_is_somebody_else_and_goes_back_answers_nothing_by_looking(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert await looked(visitor, asked, 9) == 204
    assert await asked.response() is None


async def test_looking_does_away_with_no_flag_of_an_answer_that_counts(
    visitor: httpx.AsyncClient, asked: Asked, a_minute_later: Any
) -> None:
    await looked(visitor, asked, 9)
    await visitor.get(asked.path, params={"score": 2})
    a_minute_later()
    assert await stayed(visitor, asked, 9) == 200
    assert (await asked.invitation())["flag_reason"] == "many_links"
