"""Of an anonymous campaign: groups of the funnel, and what was answered to further questions, while few answered."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from tests.answers import a_campaign
from tests.api.test_answers import QUESTIONS, record
from tests.api.test_funnels import ANSWERED, SENT, funnel, invite
from tests.api.test_question_results import results
from tests.campaigns import SURVEY, create, move
from tests.conftest import Tenant


@pytest.fixture
async def asking(alice: Tenant) -> str:
    campaign = await create(alice, survey={**SURVEY, "questions": QUESTIONS}, is_anonymous=True)
    return str((await move(alice, campaign, "launch"))["id"])


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with engine.write() as tx:
        await tx.execute(text("UPDATE campaigns SET is_anonymous = true WHERE id = :id"), {"id": campaign})
    return campaign


async def say(tenant: Tenant, campaign: str, times: int, **answers: Any) -> None:
    for _ in range(times):
        reply = await record(tenant, campaign, score=3, answers=answers)
        assert reply.status_code == 201, reply.text


def bands(found: dict[str, Any]) -> dict[str, int | None]:
    return {tally["value"]: tally["bands"] and tally["bands"]["detractor"] for tally in found["results"]}


async def test_groups_of_the_funnel_in_which_few_answered_are_withheld(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    for variant, answered in (("a", 6), ("b", 2), ("c", 0), ("d", 7)):
        rows = [*[ANSWERED] * answered, SENT]
        await invite(engine, alice, campaign, *[{**row, "variant": variant} for row in rows])
    found = await funnel(alice, campaign, group_by="variant")
    answered_by = {group["key"]: group["steps"] and group["steps"]["answered"] for group in found["groups"]}
    assert (found["steps"]["answered"], answered_by) == (15, {"a": None, "b": None, "c": 0, "d": 7})
    reasons = [group["withheld"] for group in found["groups"]]
    assert reasons == ["minimum_group", "minimum_group", None, None]


async def test_what_nobody_notes_of_anonymous_campaigns_is_not_zero(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    await invite(engine, alice, campaign, *[ANSWERED] * 6, SENT)
    found = await funnel(alice, campaign, group_by="channel")
    for told in (found["steps"], found["groups"][0]["steps"]):
        assert (told["sent"], told["answered"], told["page_opened"], told["commented"]) == (7, 6, None, None)


async def test_nor_is_it_zero_before_anybody_is_asked(alice: Tenant, campaign: UUID) -> None:
    for options in ({}, {"group_by": "channel"}):
        told = (await funnel(alice, campaign, **options))["steps"]
        assert (told["sent"], told["answered"], told["page_opened"], told["commented"]) == (0, 0, None, None)


async def test_a_question_that_few_answered_tells_nothing(alice: Tenant, asking: str) -> None:
    await say(alice, asking, 6)
    await say(alice, asking, 4, ease=1)
    found = await results(alice, asking, "ease")
    assert found["withheld"] == "minimum_group"
    assert {found[name] for name in ("response_count", "n", "bands", "results", "mean")} == {None}
    await say(alice, asking, 1, ease=2)
    found = await results(alice, asking, "ease")
    assert (found["n"], found["bands"]["detractor"], found["withheld"]) == (5, 5, None)


async def test_a_part_that_is_small_tells_nothing_and_the_whole_does(alice: Tenant, asking: str) -> None:
    await say(alice, asking, 4, ease=1)
    assert (await results(alice, asking, "ease", **{"from": "2026-01-01"}))["withheld"] == "minimum_group"
    whole = await results(alice, asking, "ease")
    assert (whole["n"], whole["withheld"], bands(whole)[1]) == (4, None, None)


async def test_bands_of_few_are_withheld_with_those_they_could_be_worked_out_from(alice: Tenant, asking: str) -> None:
    for value, times in ((1, 2), (2, 5), (3, 6)):
        await say(alice, asking, times, ease=value)
    found = await results(alice, asking, "ease")
    assert [tally["count"] for tally in found["results"]] == [2, 5, 6, 0, 0]
    assert bands(found) == {1: None, 2: None, 3: 6, 4: 0, 5: 0}


async def test_an_option_that_all_but_few_chose_would_tell_of_them(alice: Tenant, asking: str) -> None:
    await say(alice, asking, 6, liked=["price", "speed"])
    await say(alice, asking, 1, liked=["speed"])
    assert bands(await results(alice, asking, "liked")) == {"price": None, "speed": 7}


async def test_whoever_alone_passed_a_question_over_is_not_told_of(alice: Tenant, asking: str) -> None:
    await say(alice, asking, 6, ease=1)
    await say(alice, asking, 1)
    found = await results(alice, asking, "ease")
    assert (found["n"], found["bands"], set(bands(found).values())) == (6, None, {None})
