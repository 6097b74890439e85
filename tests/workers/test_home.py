from datetime import UTC, datetime

from sqlalchemy import text

from app.db.engine import Engine
from app.operations.instance import adopt_instance, recognise_instance
from app.workers.home import only_at_home

NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def move_away(engine: Engine) -> None:
    async with engine.write() as tx:
        await recognise_instance(tx, now=NOW)
        await tx.execute(text("UPDATE instance SET fingerprint = 'another server/zeroten'"))


async def test_at_home_every_step_is_taken(own_engine: Engine) -> None:
    steps: list[str] = []
    guarded = only_at_home(own_engine, lambda: _note(steps))
    assert [await guarded(), await guarded()] == [True, True]
    assert len(steps) == 2


async def test_a_copy_takes_no_step_until_it_is_adopted_and_then_needs_no_restart(own_engine: Engine) -> None:
    await move_away(own_engine)
    steps: list[str] = []
    guarded = only_at_home(own_engine, lambda: _note(steps))
    assert [await guarded(), await guarded()] == [False, False]
    assert steps == []
    async with own_engine.write() as tx:
        await adopt_instance(tx, now=NOW)
    assert await guarded()
    assert steps == ["taken"]


async def _note(steps: list[str]) -> bool:
    steps.append("taken")
    return True
