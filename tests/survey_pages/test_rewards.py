"""A code for everybody who answers, on the page that thanks."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.domain.ids import shown
from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link

REWARD = {"reward": {"en": "As a small thank you, {name|friend}, here is your code:"}}


async def fill(alice: Tenant, asked: Asked, *codes: str) -> None:
    place = f"/v1/campaigns/{shown('campaign', asked.campaign_id)}/codes"
    assert (await alice.api.post(place, json={"codes": codes})).status_code == 200


async def given(alice: Tenant, asked: Asked) -> int:
    place = f"/v1/campaigns/{shown('campaign', asked.campaign_id)}/codes"
    return int((await alice.api.get(place)).json()["given"])


async def answer(visitor: httpx.AsyncClient, asked: Asked, score: str) -> str:
    return (await visitor.post(asked.path, data={"lang": "en", "score": score})).text


@pytest.mark.parametrize("campaign", [{}, {"is_anonymous": True}])
@pytest.mark.parametrize("score", ["0", "7", "10"])
async def test_everybody_who_answers_sees_one_code_and_sees_it_again(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, score: str, campaign: dict[str, Any]
) -> None:
    asked = await a_link(app, alice, survey=REWARD, campaign=campaign)
    await fill(alice, asked, "CODE-1", "CODE-2")
    reply = await visitor.post(asked.path, data={"lang": "en", "score": score})
    page = reply.text
    code = "CODE-1" if "CODE-1" in page else "CODE-2"
    assert code in page
    assert f"As a small thank you, {'friend' if campaign else 'Jane'}" in page
    assert code in (await visitor.get(reply.url)).text
    assert code in await answer(visitor, asked, "5")
    assert await given(alice, asked) == 1


async def test_looking_at_the_page_takes_no_code(app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient) -> None:
    asked = await a_link(app, alice, survey=REWARD)
    await fill(alice, asked, "CODE-1")
    for query in ("", "?score=9", "?lang=en&thanks", "?lang=en&change"):
        assert "CODE-1" not in (await visitor.get(asked.path + query)).text
    assert await given(alice, asked) == 0


async def test_without_a_code_or_without_words_for_it_nothing_is_promised(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    empty, silent = await a_link(app, alice, survey=REWARD), await a_link(app, alice)
    await fill(alice, silent, "CODE-1")
    assert "small thank you" not in await answer(visitor, empty, "9")
    assert "CODE-1" not in await answer(visitor, silent, "9")
    assert await given(alice, silent) == 0
