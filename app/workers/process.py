"""The worker process: what it is made of, how it starts, and how it stops."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
import uvloop

from app.config import Settings
from app.db.engine import Engine
from app.db.lane import Lane
from app.db.vault import Vault
from app.workers.courier import Courier
from app.workers.exchange_codes import Exchange
from app.workers.fan_out import FanOut
from app.workers.home import only_at_home
from app.workers.listener import listen
from app.workers.loop import Bell, Step, collect_less_garbage, repeat
from app.workers.outgoing import outgoing
from app.workers.post_office import carry_mail
from app.workers.pull_people import Puller
from app.workers.signing_keys import SigningKeys
from app.workers.timetable import timetable
from app.workers.worker import Worker

log = structlog.get_logger()

# What a crashed PostgreSQL forgets of these is only done again: events are still queued, deliveries still due.
FORGIVING = {"synchronous_commit": "off"}
# The queues grow from nothing to millions and back sooner than the planner's statistics notice.
INDEXED = {"enable_seqscan": "off"}
MOST_FILES = 65_536
PULLS_AT_ONCE = 3
EXCHANGES_AT_ONCE = 4  # of codes, each of another workspace
SETTLING_SECONDS = 5.0  # at the end, to write down how the last attempts ended


def main(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT."""
    collect_less_garbage()
    _allow_connections()
    uvloop.run(_run_until_signalled(settings))


def _allow_connections() -> None:
    """The usual limit of 1,024 open files is for programs that use select(); each attempt needs a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


async def _run_until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_worker(settings, stop=stop)


async def run_worker(settings: Settings, *, stop: asyncio.Event) -> None:
    """Until `stop` is set; then lets attempts under way end, and settles them."""
    async with open_worker(settings) as worker:
        await _work(worker, stop=stop)


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Worker]:
    if settings.database_url is None:
        raise RuntimeError("ZEROTEN_DATABASE_URL is not set; `zeroten up` starts an embedded PostgreSQL instead")
    engine = Engine(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    try:
        async with outgoing(settings) as client:
            yield Worker(settings, engine, client, SigningKeys(Vault.read(settings.secret_keys_text)))
    finally:
        await engine.close()


async def _work(worker: Worker, *, stop: asyncio.Event) -> None:
    poll = partial(repeat, poll_seconds=worker.settings.poll_seconds)
    events, due, done = Bell(), Bell(), asyncio.Event()
    async with _lanes(worker.engine) as (to_fan_out, to_claim, to_settle), timetable(worker.engine, worker.settings):
        fan_out = FanOut(to_fan_out, deliveries_made=due)
        async with Courier(worker, lane=to_claim, settling_lane=to_settle, due=due) as courier:
            settling = courier.settling
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(listen(worker.engine, bells=[events, due], stop=stop))
                tasks.create_task(poll(fan_out.step, lane=to_fan_out, bell=events, stop=stop))
                claim = only_at_home(worker.engine, courier.step)
                claiming = tasks.create_task(poll(claim, lane=to_claim, bell=due, stop=stop))
                for step in _steps_beside(worker):
                    beside = only_at_home(worker.engine, step)
                    tasks.create_task(poll(beside, lane=Lane(worker.engine), bell=Bell(), stop=stop))
                tasks.create_task(carry_mail(worker.engine, worker.settings, stop=stop))
                tasks.create_task(poll(settling.step, lane=to_settle, bell=settling.bell, stop=done))
                log.info("worker started")
                await stop.wait()
                events.ring()
                due.ring()
                await claiming
                await courier.finish(seconds=worker.settings.attempt_deadline_seconds + SETTLING_SECONDS)
                done.set()
                settling.bell.ring()
    log.info("worker stopped", unsettled=courier.held)


def _steps_beside(worker: Worker) -> list[Step]:
    """Each at the same time as the others. Their lanes are never opened: they use the pool."""
    pulls = [Puller(worker).step for _ in range(PULLS_AT_ONCE)]
    return [*pulls, *(Exchange(worker).step for _ in range(EXCHANGES_AT_ONCE))]


@asynccontextmanager
async def _lanes(engine: Engine) -> AsyncIterator[tuple[Lane, Lane, Lane]]:
    forgiving = {**INDEXED, **FORGIVING}
    lanes = Lane(engine, **forgiving), Lane(engine, **forgiving), Lane(engine, **INDEXED)
    try:
        yield lanes
    finally:
        for lane in lanes:
            lane.drop()
