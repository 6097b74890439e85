"""Importing has a process of its own, which is there only while an import is due.

It needs less memory than a worker, gives all of it back, and leaves the worker's loop to the webhooks. A worker has one
at a time, and it ends with its worker.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping

import structlog

from app.config import Settings
from app.db.engine import Engine
from app.lifeline import PARENT
from app.queries.imports import is_any_import_due
from app.workers.loop import STATUS_OF_A_NOTED_FAILURE

log = structlog.get_logger()

STOP_SECONDS = 4.0  # to end the transactions under way
PAUSE_SECONDS = 5.0  # after it did not end as it should


async def work_off_imports(engine: Engine, settings: Settings) -> None:
    async with engine.read() as tx:
        if not await is_any_import_due(tx):
            return
    # -P: a folder called `app` where we happen to be started is not ours.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "app.workers.importer",
        stdin=DEVNULL, env=_environment(settings), start_new_session=True,
    )  # fmt: skip
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        await _stop(process)
        raise
    if status:
        if status != STATUS_OF_A_NOTED_FAILURE:
            log.error("the process that imports ended; starting another when one is due", status=status)
        await asyncio.sleep(PAUSE_SECONDS)


def _environment(settings: Settings) -> Mapping[str, str]:
    """Unlike an argument it is for its eyes only. What was set for us is set for it, but we may know more."""
    assert settings.database_url is not None
    keys = {"ZEROTEN_SECRET_KEYS": settings.secret_keys.get_secret_value()} if settings.secret_keys else {}
    return {
        **os.environ,
        **keys,
        "ZEROTEN_DATABASE_URL": settings.database_url.get_secret_value(),
        "ZEROTEN_LEASE_SECONDS": str(settings.lease_seconds),
        "ZEROTEN_LEAST_LEASE_SECONDS": str(settings.least_lease_seconds),
        "ZEROTEN_ATTEMPT_DEADLINE_SECONDS": str(settings.attempt_deadline_seconds),
        "ZEROTEN_LOG_FORMAT": settings.log_format,
        PARENT: str(os.getpid()),
    }


async def _stop(process: Process) -> None:
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
