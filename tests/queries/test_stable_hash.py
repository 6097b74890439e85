"""PostgreSQL draws the lots that Python draws."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.audience.stable_hash import draw

DRAW = text(
    "SELECT ('x' || encode(substr(sha256(convert_to(:seed, 'UTF8') || uuid_send(CAST(:id AS uuid))), 1, 6), 'hex'))"
    "::bit(48)::bigint AS drawn"
)


@pytest.mark.parametrize("seed", ["", "variant:1", "größe", "a" * 200])
async def test_the_draw_in_sql_is_the_one_in_python(engine: Engine, seed: str) -> None:
    async with engine.read() as tx:
        for person in (UUID(int=0), UUID(int=2**128 - 1), *(uuid4() for _ in range(20))):
            drawn = (await tx.execute(DRAW, {"seed": seed, "id": person})).scalar_one()
            assert drawn == draw(seed, person)
