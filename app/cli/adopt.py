"""Makes this the home of a database that was restored or copied here, and so lets it send."""

import asyncio
from argparse import Namespace

from rich.console import Console

from app.cli.database import migrated
from app.cli.place import read_settings, settled
from app.clock import utc_now
from app.config import Settings
from app.operations.instance import adopt_instance, recognise_instance


def run(_: Namespace) -> int:
    was_at_home = asyncio.run(_adopt(settled(read_settings())))
    said = "This database is at home here already." if was_at_home else "Adopted: from now on this database may send."
    Console(highlight=False).print(said)
    return 0


async def _adopt(settings: Settings) -> bool:
    async with migrated(settings) as engine, engine.write() as tx:
        was_at_home = (await recognise_instance(tx, now=utc_now())).is_at_home
        await adopt_instance(tx, now=utc_now())
        return was_at_home
