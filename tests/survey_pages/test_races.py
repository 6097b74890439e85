"""Many acts on one link at the same moment: a page in two windows, a script and a form, a scanner and a person."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Tenant
from tests.survey_pages.conftest import a_visitor
from tests.survey_pages.links import Asked, a_link, no_answer_is_counted_wrong


async def act(visitor: httpx.AsyncClient, asked: Asked, number: int) -> int:
    score = str(number % 11)
    if number % 3:
        sign = ("gesture", "change", "dwell")[number % 3]
        reply = await visitor.post(f"{asked.path}/signs", data={"sign": sign, "score": score})
    else:
        form = {"score": score, "sign": "gesture", "comment": f"number {number}"}
        reply = await visitor.post(asked.path, data=form)
    return reply.status_code


@pytest.mark.parametrize("is_anonymous", [False, True])
async def test_a_link_is_one_answer_whatever_happens_at_once(app: FastAPI, alice: Tenant, is_anonymous: bool) -> None:
    asked = await a_link(app, alice, campaign={"is_anonymous": is_anonymous})
    async with a_visitor(app) as visitor:
        found = await asyncio.gather(*(act(visitor, asked, number) for number in range(30)))
    assert set(found) <= {200, 204}
    assert await asked.response() is not None
    assert await asked.counted() == 1
    assert (await asked.events()).count("response.created") == 1
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


async def test_a_person_wins_against_a_scanner_that_is_there_at_the_same_time(app: FastAPI, alice: Tenant) -> None:
    async def scans() -> None:
        async with a_visitor(app) as scanner:
            for score in range(11):
                await scanner.get(asked.path, params={"score": score})
                await scanner.post(asked.path, data={"score": str(score)})

    for _ in range(5):
        asked = await a_link(app, alice)
        async with a_visitor(app) as person:
            scanning = asyncio.create_task(scans())
            await person.get(asked.path, params={"score": 10})
            await person.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "10"})
            await scanning
            await person.post(asked.path, data={"sign": "gesture", "score": "10", "comment": "Me."})
        response = await asked.response()
        assert response is not None
        assert (response["score"], response["comment"], response["excluded_reason"]) == (10, "Me.", None)
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)
