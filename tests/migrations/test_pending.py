import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.db.migrations import pending_migrations


async def test_a_migrated_database_waits_for_nothing(own_engine: Engine) -> None:
    assert not await pending_migrations(own_engine)


@pytest.mark.parametrize(("revision", "is_pending"), [(None, True), ("9999_from_the_future", False)])
async def test_an_empty_database_is_behind_and_a_newer_one_is_not(
    own_engine: Engine, revision: str | None, *, is_pending: bool
) -> None:
    async with own_engine.write() as tx:
        await tx.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            await tx.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    assert await pending_migrations(own_engine) is is_pending
