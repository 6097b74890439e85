import asyncio
import json
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.db.engine import Engine, Tx
from app.db.tables.scores import COUNTERS
from app.operations.rollups import rollup_ctes
from tests.conftest import Tenant

CHANGE = text(f"""
    WITH changes AS MATERIALIZED (
        SELECT CAST(:workspace_id AS uuid) AS workspace_id, CAST(:campaign_id AS uuid) AS campaign_id,
            1 AS survey_version, 0 AS wave, DATE '2026-05-04' AS counted_on, c.*
        FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS c (channel text, score int, segments jsonb, delta int)
    ),
    {rollup_ctes("changes")}
    SELECT 1
""")


class Counters:
    def __init__(self, engine: Engine, workspace_id: UUID) -> None:
        self.engine, self.workspace_id, self.campaign_id = engine, workspace_id, uuid4()

    async def change(self, *changes: dict[str, Any]) -> None:
        async with self.engine.write() as tx:
            await self.change_in(tx, *changes)

    async def change_in(self, tx: Tx, *changes: dict[str, Any]) -> None:
        rows = json.dumps([{"channel": "email", "segments": {}, "delta": 1, **change} for change in changes])
        ids = {"workspace_id": self.workspace_id, "campaign_id": self.campaign_id}
        await tx.execute(CHANGE, {**ids, "changes": rows})

    async def read(self) -> dict[tuple[str, str, str], dict[int, int]]:
        query = text("SELECT * FROM score_rollups WHERE workspace_id = :w AND campaign_id = :c")
        async with self.engine.read() as tx:
            rows = (await tx.execute(query, {"w": self.workspace_id, "c": self.campaign_id})).mappings().all()
        return {
            (row["property_key"], row["property_value"], row["channel"]): {
                score: row[counter] for score, counter in enumerate(COUNTERS) if row[counter]
            }
            for row in rows
        }


@pytest.fixture
def counters(alice: Tenant, engine: Engine) -> Counters:
    return Counters(engine, alice.workspace_id)


async def test_an_answer_counts_once_among_all_and_once_in_each_segment(counters: Counters) -> None:
    await counters.change({"score": 9, "segments": {"plan": "pro", "country": "de"}}, {"score": 9})
    assert await counters.read() == {
        ("", "", "email"): {9: 2},
        ("plan", "pro", "email"): {9: 1},
        ("country", "de", "email"): {9: 1},
    }


async def test_an_amendment_moves_a_count_from_score_to_score(counters: Counters) -> None:
    await counters.change({"score": 3}, {"score": 3}, {"score": 9, "channel": "web"})
    await counters.change({"score": 3, "delta": -1}, {"score": 10})
    assert await counters.read() == {("", "", "email"): {3: 1, 10: 1}, ("", "", "web"): {9: 1}}


async def test_an_answer_may_come_and_go_in_one_statement(counters: Counters) -> None:
    await counters.change({"score": 3}, {"score": 3, "delta": -1})
    assert await counters.read() == {("", "", "email"): {}}


async def test_a_count_below_zero_fails_the_change(counters: Counters) -> None:
    await counters.change({"score": 3}, {"score": 9})
    with pytest.raises(IntegrityError, match="s3"):
        await counters.change({"score": 9}, {"score": 3, "delta": -2})
    assert await counters.read() == {("", "", "email"): {3: 1, 9: 1}}


async def test_a_row_that_nobody_here_has_seen_yet_can_be_deducted_from(counters: Counters) -> None:
    """A statement that waited for another transaction must find what that has counted meanwhile."""
    async with counters.engine.write() as tx:
        await counters.change_in(tx, {"score": 3})
        waiting = asyncio.create_task(counters.change({"score": 3, "delta": -1}))
        await _is_waiting(counters.engine)
    await waiting
    assert await counters.read() == {("", "", "email"): {}}


async def _is_waiting(engine: Engine) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(500):
        async with engine.read() as tx:
            if (await tx.execute(query)).scalar_one():
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waited")


async def test_statements_that_count_the_same_rows_in_another_order_do_not_deadlock(counters: Counters) -> None:
    changes = [
        {"score": 9, "channel": f"{channel}", "segments": {"plan": f"{plan}"}}
        for channel in range(12)
        for plan in range(12)
    ]

    async def count(random: Random) -> int:
        counted = 0
        for _ in range(25):
            some = random.sample(changes, k=random.randrange(20, len(changes)))
            async with counters.engine.write() as tx:
                await tx.execute(text("SET LOCAL enable_sort = off"))  # a planner that would rather hash
                await counters.change_in(tx, *some)
            counted += len(some)
        return counted

    counted = await asyncio.gather(*(count(Random(seed)) for seed in range(4)))
    rows = await counters.read()
    assert sum(counts[9] for (key, _, _), counts in rows.items() if key == "") == sum(counted)
    assert sum(counts[9] for (key, _, _), counts in rows.items() if key == "plan") == sum(counted)
