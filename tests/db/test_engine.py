"""Connections are lent again and again, and nobody is lent a dead one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from app.db import engine as pooling
from app.db.engine import Engine
from tests.wire import Wire, wire_to


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with wire_to(database_url) as wire:
        yield wire


@pytest.fixture
async def small(wire: Wire) -> AsyncIterator[Engine]:
    engine = Engine(wire.url, pool_size=1)
    yield engine
    await engine.close()


async def backend(engine: Engine) -> int:
    async with engine.write() as tx:
        return int((await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one())


@contextmanager
def asking_always(patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as within:
        within.setattr(pooling, "ASKED_AFTER_SECONDS", 0.0)
        yield


async def said(engine: Engine) -> list[str]:
    """What goes over the wire for a transaction beside what it is about."""
    lines: list[str] = []
    async with engine.raw.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        driver.add_query_logger(log := lambda record: lines.append(record.query))
    await backend(engine)
    driver.remove_query_logger(log)
    return lines


async def test_who_is_lent_a_connection_at_once_asks_nothing_first(
    small: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await said(small) == ["BEGIN;", "COMMIT;"]
    with asking_always(monkeypatch):
        assert await said(small) == ["BEGIN;", ";", "ROLLBACK;", "BEGIN;", "COMMIT;"]


async def test_a_connection_that_was_closed_meanwhile_is_replaced(small: Engine, engine: Engine) -> None:
    before = await backend(small)
    async with small.raw.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    await end(engine, before)
    async with asyncio.timeout(10):
        while not driver.is_closed():  # noqa: ASYNC110 - bounded; the driver rings no bell
            await asyncio.sleep(0)
    assert await backend(small) != before


async def test_a_connection_that_is_dead_and_has_not_been_closed_yet_is_replaced_after_a_second(
    small: Engine, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await backend(small)
    await end(engine, before)
    with asking_always(monkeypatch):
        assert await backend(small) != before


async def end(engine: Engine, pid: int) -> None:
    async with engine.read() as tx:
        await tx.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
