"""The service under load, each part a process of its own: what callers are told, and what they are never told."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.end_to_end.crash.programs import running
from tests.end_to_end.crash.run import make_world
from tests.end_to_end.crash.stage import Stage, resident_megabytes
from tests.end_to_end.crowd import Crowd

pytestmark = pytest.mark.slow

OUTAGES = (signal.SIGKILL, signal.SIGINT) * 2  # SIGINT is how PostgreSQL is told to restart: sessions are cut, politely
GOES_ON_SECONDS = 15.0  # once PostgreSQL is back: connections made anew, on a busy machine
GROWTH_MEGABYTES = 20.0
CROWDS = (16, 64, 256)
TURN_SECONDS = 4.0


@pytest.fixture
async def crowd(stage: Stage) -> AsyncIterator[Crowd]:
    async with stage.session() as session:
        yield Crowd(session, await make_world(stage, session))


async def test_restarts_of_postgresql_are_told_as_503_and_nothing_else_has_to_be_restarted(
    stage: Stage, crowd: Crowd
) -> None:
    others = (stage.api.pid, stage.worker.pid)
    async with crowd.calling(16):
        await crowd.until_all_is_well(seconds=GOES_ON_SECONDS)
        before = resident_megabytes(stage.api.pid)
        for how in OUTAGES:
            stage.postgres.kill(how=how)
            await stage.postgres.until_up()
            await crowd.until_all_is_well(seconds=GOES_ON_SECONDS)
        grown = resident_megabytes(stage.api.pid) - before
    assert not crowd.wrong
    assert crowd.answered[503]
    assert (stage.api.pid, stage.worker.pid) == others
    assert grown < GROWTH_MEGABYTES


async def test_hundreds_of_callers_at_once_are_told_nothing_worse_than_503(stage: Stage, crowd: Crowd) -> None:
    megabytes = []
    for callers in (*CROWDS, CROWDS[-1]):
        crowd.answered.clear()
        async with crowd.calling(callers):
            await asyncio.sleep(TURN_SECONDS)
        megabytes.append(resident_megabytes(stage.api.pid))
        assert not crowd.wrong
        assert crowd.answered.total() > callers
    assert megabytes[-1] - megabytes[-2] < GROWTH_MEGABYTES  # the same crowd again needs nothing new


async def test_a_worker_stopped_in_the_middle_of_its_work_leaves_nothing_behind_a_lease(
    stage: Stage, crowd: Crowd
) -> None:
    """What it had claimed is settled or given back, although its receiver is slow and sometimes hangs."""
    await stage.add_endpoint("now")
    async with running(stage.receiver(moods={"slow": 0.9, "hangs": 0.1}, hanging_seconds=60)), crowd.calling(16):
        await crowd.until_all_is_well(seconds=GOES_ON_SECONDS)
        assert await _under_a_lease(stage) > 0
        assert await stage.worker.stop() == 0
        assert await _under_a_lease(stage) == 0
    await stage.worker.start()


async def _under_a_lease(stage: Stage) -> int:
    engine = stage.engine()
    async with engine.read() as tx:
        count: int = (await tx.execute(text("SELECT count(*) FROM deliveries WHERE claim_id IS NOT NULL"))).scalar_one()
    await engine.close()
    return count
