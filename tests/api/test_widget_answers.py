"""Answers to further questions straight from a browser, in parts that may come in any order."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.db.engine import Engine
from tests.api.test_answers import QUESTIONS
from tests.api.test_widget import a_part, send, stored_for
from tests.campaigns import SURVEY, create, move
from tests.conftest import Tenant


@pytest.fixture
async def campaign(alice: Tenant) -> str:
    made = await create(alice, survey={**SURVEY, "questions": QUESTIONS})
    return str((await move(alice, made, "launch"))["id"])


async def answers(engine: Engine, part: dict[str, Any]) -> Any:
    (stored,) = await stored_for(engine, part)
    return stored["answers"]


async def test_they_come_with_the_score_or_after_it(app: FastAPI, engine: Engine, alice: Tenant, campaign: str) -> None:
    part = a_part(campaign, answers={"ease": 4})
    assert (await send(app, alice, part)).status_code == 201
    later = {**part, "seq": 2, "score": 8, "answers": {"liked": ["speed", "price", "speed"]}}
    assert (await send(app, alice, later)).json()["outcome"] == "amended"
    assert await answers(engine, part) == {"ease": 4, "liked": ["price", "speed"]}
    await send(app, alice, {**part, "seq": 3, "answers": {"ease": 2}})
    await send(app, alice, {**part, "seq": 4, "answers": None})
    assert await answers(engine, part) == {"ease": 2, "liked": ["price", "speed"]}


async def test_a_late_part_answers_what_nobody_has_answered_since(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign, answers={"ease": 1})
    await send(app, alice, {**part, "seq": 30, "score": 9})
    late = {**part, "seq": 20, "score": 0, "answers": {"ease": 5, "liked": ["price"]}}
    assert (await send(app, alice, late)).json()["outcome"] == "amended"
    assert (await send(app, alice, late)).json()["outcome"] == "repeated"
    (stored,) = await stored_for(engine, part)
    assert stored["answers"] == {"ease": 1, "liked": ["price"]}
    assert stored["score"] == 9


async def test_what_does_not_fit_is_left_out_and_the_rest_is_kept(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    odd = {"ease": "4", "liked": ["price", "weather"], "unheard_of": 1, "": {}, "why": ["?"]}
    part = a_part(campaign, answers=odd)
    assert (await send(app, alice, part)).status_code == 201
    assert await answers(engine, part) is None
    assert (await send(app, alice, {**part, "seq": 2, "answers": {**odd, "ease": 4}})).status_code == 200
    assert await answers(engine, part) == {"ease": 4}


async def test_what_is_no_set_of_answers_is_told_with_its_field(app: FastAPI, alice: Tenant, campaign: str) -> None:
    for wrong in ("yes", ["ease"], 4):
        reply = await send(app, alice, a_part(campaign, answers=wrong))
        assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/answers")


async def test_another_tenants_questions_are_nobodys(
    app: FastAPI, alice: Tenant, charlie: Tenant, campaign: str
) -> None:
    assert (await send(app, charlie, a_part(campaign, answers={"ease": 4}))).status_code == 404
