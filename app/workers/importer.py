"""`python -m app.workers.importer`: works off the imports that are due, and ends. Workers start it.

It loads what importing needs and nothing else: memory is the reason why it is a process (tests/workers).
"""

import asyncio
import signal
import sys
from typing import cast

import uvloop

from app.config import Settings
from app.db.engine import Engine
from app.db.vault import Vault
from app.lifeline import end_with_parent
from app.logs import configure_logs
from app.operations.instance_keys import AddressKey
from app.workers.import_recipients import run_next_import
from app.workers.loop import STATUS_OF_A_NOTED_FAILURE, collect_less_garbage, note_failure

MOST_CONNECTIONS = 4  # two transactions that store, one that reads ahead, one that renews the lease


def main() -> int:
    end_with_parent()
    settings = Settings()
    configure_logs(settings.log_format, process="importer")
    collect_less_garbage()
    return uvloop.run(_until_told(settings))


async def _until_told(settings: Settings) -> int:
    """The exit status. SIGTERM gives back what has been begun."""
    work = cast("asyncio.Task[int]", asyncio.current_task())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        await work_off(settings)
    except asyncio.CancelledError:
        return 0
    except Exception as error:  # noqa: BLE001 - another process tries again
        note_failure(work_off, error)
        return STATUS_OF_A_NOTED_FAILURE
    return 0


async def work_off(settings: Settings) -> None:
    """Until none is left."""
    assert settings.database_url is not None
    vault = Vault.read(settings.secret_keys_text)
    engine = Engine(settings.database_url.get_secret_value(), pool_size=MOST_CONNECTIONS)
    try:
        hmac_key = await AddressKey(engine, vault).read()
        while await run_next_import(engine, hmac_key=hmac_key, lease_seconds=settings.lease_seconds):
            pass
    finally:
        await engine.close()


if __name__ == "__main__":
    sys.exit(main())
