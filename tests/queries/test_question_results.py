"""How answers to further questions are counted: what is told of them is tested with the API."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from app.db.engine import Engine
from app.queries.question_results import count_of

ANYBODY = {"workspace_id": uuid4(), "campaign_id": uuid4(), "channels": ["email"]}
ANY_TIME = {"from_on": None, "until_on": None, "from_at": None, "until_at": datetime(2026, 11, 22, tzinfo=UTC)}


async def test_no_response_is_looked_into_by_a_query_of_its_own(engine: Engine) -> None:
    """One for each of half a million took longer than all the rest."""
    counting = text(f"EXPLAIN {count_of(['liked', 'why'], {'why'}).text}")
    async with engine.read() as tx:
        plan = "\n".join(
            (await tx.execute(counting, {**ANYBODY, **ANY_TIME, "key_0": "liked", "key_1": "why"})).scalars()
        )
    assert "Aggregate" in plan
    assert "SubPlan" not in plan
    assert "Function Scan" not in plan
