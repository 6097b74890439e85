from typing import Any

import pytest
from fastapi import FastAPI

from tests.conftest import Tenant, client


async def plan(tenant: Tenant, **query: Any) -> dict[str, Any]:
    reply = await tenant.api.get("/v1/sample-size", params=query)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_nobody_plans_without_a_key(app: FastAPI) -> None:
    async with client(app) as stranger:
        assert (await stranger.get("/v1/sample-size")).status_code == 401


async def test_an_nps_is_planned_for_the_worst_case(alice: Tenant) -> None:
    found = await plan(alice, population=10_000, response_rate=20)
    assert (found["measure"], found["margin"], found["confidence"]) == ("nps", 5.0, 95.0)
    assert (found["answers"], found["invitations"], found["is_within_reach"]) == (1333, 6665, True)
    assert found["margin_within_reach"] is None
    assert "Survey tables say 370" in found["explanation"]


@pytest.mark.parametrize(("population", "answers"), [(None, 385), (500, 218), (1_000, 278), (10_000, 370)])
async def test_a_proportion_gives_what_the_tables_do(alice: Tenant, population: int | None, answers: int) -> None:
    query = {} if population is None else {"population": population}
    assert (await plan(alice, measure="proportion", **query))["answers"] == answers


async def test_without_a_response_rate_no_invitations_are_counted(alice: Tenant) -> None:
    assert (await plan(alice))["invitations"] is None


async def test_a_margin_beyond_reach_says_what_can_be_had(alice: Tenant) -> None:
    found = await plan(alice, population=1_000, response_rate=20)
    assert (found["answers"], found["invitations"], found["is_within_reach"]) == (607, 1_000, False)
    assert found["margin_within_reach"] == 12.4


async def test_expected_shares_need_fewer(alice: Tenant) -> None:
    assert (await plan(alice, promoters=50, detractors=20))["answers"] == 938
    assert (await plan(alice, measure="proportion", share=10))["answers"] == 139


async def test_shares_that_do_not_fit_are_refused(alice: Tenant) -> None:
    for query in (
        {"promoters": 50}, {"promoters": 70, "detractors": 40}, {"share": 10},
        {"measure": "proportion", "promoters": 50, "detractors": 20}, {"measure": "proportion", "detractors": 20},
    ):  # fmt: skip
        reply = await alice.api.get("/v1/sample-size", params=query)
        assert (reply.status_code, reply.json()["code"]) == (422, "shares_impossible")


@pytest.mark.parametrize(
    "query", [{"confidence": 79}, {"confidence": 100}, {"margin": 0}, {"population": 0}, {"response_rate": 0}]
)
async def test_what_is_out_of_range_is_refused(alice: Tenant, query: dict[str, int]) -> None:
    reply = await alice.api.get("/v1/sample-size", params=query)
    assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed")
