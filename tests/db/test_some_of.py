from app.db.engine import Engine
from app.db.statements import fetch, some_of

DELETE = f"DELETE FROM heap WHERE {some_of('heap', 'number > $1', limit='$2')} RETURNING number"


async def a_heap(engine: Engine, numbers: int) -> None:
    async with engine.write() as tx:
        await fetch(tx, "CREATE TABLE heap (number int)")
        await fetch(tx, "INSERT INTO heap SELECT generate_series(1, $1::int)", numbers)


async def test_a_statement_changes_no_more_rows_than_it_may(own_engine: Engine) -> None:
    await a_heap(own_engine, 100)
    for joins in ("enable_nestloop", "enable_hashjoin", "enable_mergejoin"):
        async with own_engine.write() as tx:
            for kind in {"enable_nestloop", "enable_hashjoin", "enable_mergejoin", "enable_material"} - {joins}:
                await fetch(tx, f"SET LOCAL {kind} = off")
            assert len(await fetch(tx, DELETE, 50, 3)) == 3


async def test_what_others_are_changing_is_left_to_them(own_engine: Engine) -> None:
    await a_heap(own_engine, 4)
    async with own_engine.write() as tx, own_engine.write() as other:
        await fetch(other, "SELECT FROM heap WHERE number = 2 FOR UPDATE")
        found = await fetch(tx, DELETE, 0, 10)
    assert sorted(row["number"] for row in found) == [1, 3, 4]
