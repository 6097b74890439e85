"""Brings the database to this version's schema; running it again does no harm."""

import asyncio
from argparse import Namespace

from rich.console import Console

from app.cli.database import bring_up_to_date, connected
from app.cli.place import read_settings, settled
from app.config import Settings
from app.logs import configure_logs


def run(_: Namespace) -> int:
    settings = settled(read_settings())
    configure_logs(settings.log_format, process="migrate")
    Console(highlight=False).print(asyncio.run(_migrate(settings)))
    return 0


async def _migrate(settings: Settings) -> str:
    async with connected(settings) as engine:
        if await bring_up_to_date(engine):
            return "The database has been brought up to date."
        return "The database is up to date."
