import asyncio
from argparse import Namespace
from collections.abc import Sequence
from uuid import UUID

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import RowMapping

from app.cli.database import migrated
from app.cli.keys_table import print_opened
from app.cli.place import read_settings, settled
from app.cli.refusal import Refusal
from app.clock import utc_now
from app.config import Settings
from app.domain.ids import shown
from app.domain.people.properties import UNSTORABLE
from app.operations.workspaces import OpenedWorkspace, open_workspace
from app.queries.workspaces import list_workspaces

LONGEST_NAME = 200  # characters, as in the API
ID_WIDTH = len(shown("workspace", UUID(int=0)))  # the one column that is copied


def run(arguments: Namespace) -> int:
    settings = settled(read_settings())
    if arguments.act == "create":
        print_opened(asyncio.run(_create(settings, arguments)), name=arguments.name)
    else:
        _print_workspaces(asyncio.run(_list(settings)))
    return 0


async def _create(settings: Settings, arguments: Namespace) -> OpenedWorkspace:
    if not 1 <= len(arguments.name.strip()) <= LONGEST_NAME or UNSTORABLE.search(arguments.name):
        raise Refusal(f"The name of a workspace has 1 to {LONGEST_NAME} characters.")
    async with migrated(settings) as engine, engine.write() as tx:
        return await open_workspace(tx, arguments.name, time_zone=arguments.time_zone, now=utc_now())


async def _list(settings: Settings) -> Sequence[RowMapping]:
    async with migrated(settings) as engine, engine.read() as tx:
        return await list_workspaces(tx)


def _print_workspaces(workspaces: Sequence[RowMapping]) -> None:
    table = Table("workspace", "mode", Column("id", no_wrap=True, min_width=ID_WIDTH), "time zone")
    for row in workspaces:
        table.add_row(row["name"], row["mode"], shown("workspace", row["id"]), row["time_zone"])
    Console(highlight=False).print(table)
