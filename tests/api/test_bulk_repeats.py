"""A bulk of answers under an Idempotency-Key: sent again after a lost reply, it counts nobody twice."""

from collections.abc import Sequence
from typing import Any

from app.db.engine import Engine
from tests.builders import a_campaign, an_answer
from tests.conftest import Tenant

Row = dict[str, Any]


async def bulk(tenant: Tenant, rows: Sequence[Row], *, key: str = "k-1") -> list[tuple[int, str]]:
    """(status, outcome or code) of each row."""
    reply = await tenant.api.post("/v1/responses/bulk", json={"responses": rows}, headers={"idempotency-key": key})
    assert reply.status_code == 200, reply.text
    return [
        (row["status"], row["response"]["outcome"] if row["status"] < 400 else row["problem"]["code"])
        for row in reply.json()["results"]
    ]


async def test_rows_that_are_here_are_repeated_and_the_others_stored(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    good, bad = an_answer(campaign), an_answer(campaign, score=11)
    assert await bulk(alice, [good, bad, good]) == [(201, "created"), (422, "validation_failed"), (201, "created")]
    assert await bulk(alice, [good, good, good]) == [(200, "repeated"), (201, "created"), (200, "repeated")]
    assert await bulk(alice, [good] * 3) == [(200, "repeated")] * 3
    assert len((await alice.api.get("/v1/responses")).json()["data"]) == 3


async def test_another_row_in_its_place_is_told_so(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await bulk(alice, [an_answer(campaign, score=1), an_answer(campaign, score=2)])
    swapped = await bulk(alice, [an_answer(campaign, score=2), an_answer(campaign, score=2)])
    assert swapped == [(422, "idempotency_key_reused"), (200, "repeated")]


async def test_another_key_and_a_single_answer_are_something_else(
    engine: Engine, alice: Tenant, charlie: Tenant
) -> None:
    campaign, his = [await a_campaign(engine, one.workspace_id) for one in (alice, charlie)]
    assert await bulk(alice, [an_answer(campaign)]) == [(201, "created")]
    assert await bulk(alice, [an_answer(campaign)], key="k-2") == [(201, "created")]
    assert await bulk(charlie, [an_answer(his)]) == [(201, "created")]
    single = await alice.api.post("/v1/responses", json=an_answer(campaign), headers={"idempotency-key": "k-1"})
    assert single.status_code == 201


async def test_a_key_that_is_none_is_refused_before_anything_is_stored(engine: Engine, alice: Tenant) -> None:
    rows = {"responses": [an_answer(await a_campaign(engine, alice.workspace_id))]}
    reply = await alice.api.post("/v1/responses/bulk", json=rows, headers={"idempotency-key": "x" * 256})
    assert (reply.status_code, reply.json()["code"]) == (422, "idempotency_key_unusable")
    assert (await alice.api.get("/v1/responses")).json()["data"] == []
