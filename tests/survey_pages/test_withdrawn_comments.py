"""Whoever wrote something may take it back, on the page where they change their answer."""

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link, no_answer_is_counted_wrong

TAKES_BACK = 'name="withdraw"'


@pytest.mark.parametrize("is_anonymous", [False, True])
async def test_a_comment_is_taken_back_and_an_empty_box_alone_keeps_it(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, is_anonymous: bool
) -> None:
    asked = await a_link(app, alice, campaign={"is_anonymous": is_anonymous}, survey={"languages": ["en"]})
    form = {"score": "9", "sign": "gesture", "lang": "en"}
    assert TAKES_BACK not in (await visitor.get(asked.path)).text
    thanks = await visitor.post(asked.path, data=form | {"comment": "Call Jo, at home."})
    change = str(thanks.url).replace("&thanks", "&change")
    assert TAKES_BACK in (await visitor.get(change)).text
    await visitor.post(asked.path, data=form)
    assert (await asked.response() or {})["comment"] == "Call Jo, at home."
    thanks = await visitor.post(asked.path, data=form | {"withdraw": "yes"})
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["comment"]) == (9, None)
    assert "response.updated" in await asked.events()
    assert TAKES_BACK not in (await visitor.get(str(thanks.url).replace("&thanks", "&change"))).text
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


async def test_a_comment_that_was_taken_back_is_none_in_the_funnel(visitor: httpx.AsyncClient, asked: Asked) -> None:
    for more, is_there in (({"comment": "Old."}, True), ({"withdraw": "yes"}, False), ({"comment": "New."}, True)):
        await visitor.post(asked.path, data={"score": "9", "sign": "gesture", **more})
        assert ((await asked.invitation())["commented_at"] is not None) is is_there


async def test_what_is_written_instead_stands(app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient) -> None:
    asked = await a_link(app, alice)
    for written in ("Old.", "New."):
        form = {"score": "9", "sign": "gesture", "comment": written, "withdraw": "yes"}
        await visitor.post(asked.path, data=form)
    assert (await asked.response() or {})["comment"] == "New."
