"""PostgreSQL gives up what a test wants it to, and as often: sequences count what is rolled back as well."""

from app.db.engine import Engine
from app.db.statements import fetch

LOSES_THE_CONNECTION = "PERFORM pg_terminate_backend(pg_backend_pid());"


async def give_up(engine: Engine, table: str, *, when: str, sqlstate: str = "40P01", times: int = 1) -> None:
    """`when`: a trigger's event, and perhaps its condition. `sqlstate` 08006 loses the connection."""
    act = LOSES_THE_CONNECTION if sqlstate == "08006" else f"RAISE EXCEPTION 'given up' USING ERRCODE = '{sqlstate}';"
    event, _, condition = when.partition(" WHEN ")
    async with engine.write() as tx:
        await fetch(tx, "CREATE SEQUENCE given_up")
        await fetch(tx, _FUNCTION.format(times=times, act=act))
        await fetch(
            tx,
            f"CREATE TRIGGER give_up BEFORE {event} ON {table} FOR EACH ROW"
            f" {'WHEN (' + condition + ')' if condition else ''} EXECUTE FUNCTION give_up()",
        )


_FUNCTION = """
    CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('given_up') <= {times} THEN {act} END IF;
        RETURN NEW;
    END $$
"""
