"""Every schedule on one page.

The clock rings in every worker process. That is harmless: what is due is decided by rows and taken by guarded
statements, so a ring too many finds nothing, and one that was missed is made up for by the next.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.workers import asking, chores
from app.workers.batches import Chore
from app.workers.check_domains import check_domains
from app.workers.import_process import work_off_imports
from app.workers.loop import note_failure
from app.workers.ship_mails import ship_mails
from app.workers.sns_posts import look_into_sns_posts
from app.workers.track_properties import track_properties

FINISHING_SECONDS = 5.0  # for chores under way when the process is told to stop
BREAKING_OFF_SECONDS = 5.0  # for those that take longer, to leave things in order

quiet = logging.getLogger("zeroten.timetable")
quiet.setLevel(logging.ERROR)  # a chore that still runs when its time comes again is left alone, which is no news


@dataclass(frozen=True, slots=True)
class Entry:
    every: timedelta
    chore: Chore


TIMETABLE = (
    Entry(timedelta(seconds=1), work_off_imports),
    Entry(timedelta(seconds=2), chores.work_off_replays),
    Entry(timedelta(seconds=2), ship_mails),
    Entry(timedelta(seconds=5), look_into_sns_posts),
    Entry(timedelta(seconds=5), check_domains),
    Entry(timedelta(seconds=5), track_properties),
    Entry(timedelta(seconds=5), chores.advance_campaigns),
    Entry(timedelta(seconds=2), asking.plan_campaigns),
    Entry(timedelta(seconds=15), asking.tend_invitations),
    Entry(timedelta(seconds=15), chores.finish_erasures),
    Entry(timedelta(minutes=1), asking.end_what_is_over),
    Entry(timedelta(minutes=1), chores.recompute_endpoint_work),
    Entry(timedelta(minutes=1), chores.look_after_failing_endpoints),
    Entry(timedelta(minutes=1), chores.cancel_hopeless_deliveries),
    Entry(timedelta(minutes=1), chores.forget_captured_mails),
    Entry(timedelta(minutes=10), chores.prune_events),
    Entry(timedelta(minutes=10), chores.drop_abandoned_uploads),
    Entry(timedelta(hours=1), chores.forget_idempotency_keys),
    Entry(timedelta(hours=1), chores.forget_sessions),
    Entry(timedelta(hours=1), chores.forget_authorizations),
    Entry(timedelta(hours=1), chores.forget_mail_tokens),
    Entry(timedelta(hours=1), chores.destroy_old_secrets),
    Entry(timedelta(hours=1), chores.reseal_stored_secrets),
    Entry(timedelta(hours=6), chores.forget_remote_records),
    Entry(timedelta(hours=6), chores.keep_partitions),
)


@asynccontextmanager
async def timetable(engine: Engine, settings: Settings) -> AsyncIterator[None]:
    """Rings once at the start as well, so that a process that never lives long does its chores too."""
    scheduler, ringing = AsyncIOScheduler(timezone="UTC", logger=quiet), set[asyncio.Task[None]]()
    for entry in TIMETABLE:
        scheduler.add_job(
            partial(_ring, entry.chore, engine, settings, ringing),
            "interval",
            seconds=entry.every.total_seconds(),
            jitter=entry.every.total_seconds() / 10,
            next_run_time=utc_now(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    scheduler.start()
    try:
        yield
        scheduler.pause()
        await _finish(ringing)
    finally:
        scheduler.shutdown(wait=False)


async def _finish(ringing: set[asyncio.Task[None]]) -> None:
    if ringing:
        _, late = await asyncio.wait(ringing, timeout=FINISHING_SECONDS)
        for task in late:
            task.cancel()
    if ringing:
        await asyncio.wait(ringing, timeout=BREAKING_OFF_SECONDS)


async def _ring(chore: Chore, engine: Engine, settings: Settings, ringing: set[asyncio.Task[None]]) -> None:
    task = cast("asyncio.Task[None]", asyncio.current_task())
    ringing.add(task)
    task.add_done_callback(ringing.discard)
    try:
        await chore(engine, settings)
    except asyncio.CancelledError:
        return  # we are being killed, which needs no line in the log
    except Exception as error:  # noqa: BLE001 - the next ring tries again
        note_failure(chore, error)
