"""Everything in one: the embedded PostgreSQL, migrations, an API and a worker, watched by this process."""

import asyncio
import signal
from argparse import Namespace
from contextlib import closing
from pathlib import Path

from pydantic import SecretStr

from app.cli import secret_keys
from app.cli.database import bring_up_to_date, check_start, connected, open_vault
from app.cli.keys_table import print_opened
from app.cli.listener import listen
from app.cli.place import known_secret_keys, read_settings
from app.cli.refusal import Refusal
from app.cli.storage import Storage
from app.cli.supervisor import Supervisor
from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.lifeline import end_with_parent
from app.logs import configure_logs
from app.operations.instance import FIRST_WORKSPACE, begin_instance
from app.queries.instance import find_instance

FOR_DEVELOPERS = {"receivers_allow_loopback": True, "log_format": "console"}


def run(arguments: Namespace) -> int:
    end_with_parent()
    settings = read_settings(**(FOR_DEVELOPERS if arguments.dev else {}))
    configure_logs(settings.log_format, process="up")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # while starting, it interrupts as Ctrl-C does
    with Storage(settings) as storage, closing(listen(settings.host, settings.port)) as listener:
        prepared = asyncio.run(_prepare(settings, storage))
        Supervisor(storage, prepared, listener).run()
    return 0


async def _prepare(settings: Settings, storage: Storage) -> Settings:
    """What every start does before anything else may run; the settings come back complete. Raises Refusal."""
    settings = settings.model_copy(update={"database_url": storage.url})
    async with connected(settings) as engine:
        await bring_up_to_date(engine)
        keys = known_secret_keys(settings) or await _first_secret_keys(engine, storage.directory)
        settings = settings.model_copy(update={"secret_keys": keys})
        open_vault(settings)
        await _begin(engine)
    await check_start(settings)
    return settings


async def _first_secret_keys(engine: Engine, directory: Path) -> SecretStr:
    """Only for a database that nothing can have been sealed in: new keys in place of lost ones would hide the loss."""
    async with engine.read() as tx:
        is_new = await find_instance(tx) is None
    if not is_new:
        raise Refusal(
            f"{directory / secret_keys.NAME} is missing, and this database was used with secret keys before. "
            "Bring the file back from a backup, or set ZEROTEN_SECRET_KEYS."
        )
    return SecretStr(secret_keys.make(directory))


async def _begin(engine: Engine) -> None:
    async with engine.write() as tx:
        opened = await begin_instance(tx, now=utc_now())
    if opened is not None:
        print_opened(opened, name=FIRST_WORKSPACE)
