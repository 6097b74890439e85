"""A transaction that PostgreSQL gave up is run again."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from app.db.again import in_transaction, in_transaction_by_all_means
from app.db.engine import Engine, Tx
from app.db.group_commit import IMMEDIATE_REPLAYS
from app.db.statements import fetch, sqlstate_of
from tests.builders import rows
from tests.faults import give_up


@pytest.fixture
async def engine_with_places(own_engine: Engine) -> Engine:
    async with own_engine.write() as tx:
        await fetch(tx, "CREATE TABLE places (id int)")
    return own_engine


async def take_place(tx: Tx) -> str:
    await fetch(tx, "INSERT INTO places VALUES (1)")
    return "taken"


async def places(engine: Engine) -> int:
    return len(await rows(engine, "SELECT id FROM places"))


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
async def test_what_was_given_up_is_run_again(engine_with_places: Engine, sqlstate: str) -> None:
    await give_up(engine_with_places, "places", when="INSERT", sqlstate=sqlstate, times=IMMEDIATE_REPLAYS)
    assert await in_transaction(engine_with_places, take_place) == "taken"
    assert await places(engine_with_places) == 1


@pytest.mark.parametrize(("sqlstate", "times"), [("40P01", IMMEDIATE_REPLAYS + 1), ("23505", 1), ("08006", 1)])
async def test_what_would_not_help_is_not_run_again(engine_with_places: Engine, sqlstate: str, times: int) -> None:
    await give_up(engine_with_places, "places", when="INSERT", sqlstate=sqlstate, times=times)
    with pytest.raises(DBAPIError):
        await in_transaction(engine_with_places, take_place)
    assert await places(engine_with_places) == 0


@pytest.mark.parametrize("sqlstate", ["40P01", "55P03", "57P01", "08006"])
async def test_what_must_not_be_lost_is_tried_for_a_while(engine_with_places: Engine, sqlstate: str) -> None:
    await give_up(engine_with_places, "places", when="INSERT", sqlstate=sqlstate, times=5)
    assert await in_transaction_by_all_means(engine_with_places, take_place, seconds=30) == "taken"
    assert await places(engine_with_places) == 1


async def test_and_for_no_longer(engine_with_places: Engine) -> None:
    await give_up(engine_with_places, "places", when="INSERT", sqlstate="55P03", times=1_000)
    with pytest.raises(DBAPIError):
        await in_transaction_by_all_means(engine_with_places, take_place, seconds=0.1)


async def test_a_real_deadlock_costs_nobody_their_change(engine_with_places: Engine) -> None:
    async with engine_with_places.write() as tx:
        await fetch(tx, "INSERT INTO places VALUES (1), (2)")
    both_hold_one, ends = asyncio.Barrier(2), list[str]()

    async def move(first: int, second: int) -> None:
        begun = list[bool]()

        async def act(tx: Tx) -> None:
            await fetch(tx, "UPDATE places SET id = id WHERE id = $1", first)
            if not begun:
                begun.append(True)
                await both_hold_one.wait()
            await fetch(tx, "UPDATE places SET id = id WHERE id = $1", second)

        await in_transaction(engine_with_places, act)
        ends.append("moved")

    await asyncio.gather(move(1, 2), move(2, 1))
    assert ends == ["moved", "moved"]


async def test_an_error_of_our_own_is_raised_at_once(engine_with_places: Engine) -> None:
    async def fails(tx: Tx) -> None:
        await take_place(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await in_transaction_by_all_means(engine_with_places, fails, seconds=30)
    assert await places(engine_with_places) == 0


def test_other_errors_have_no_state() -> None:
    assert sqlstate_of(LookupError()) is None
