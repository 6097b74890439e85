from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from app.db.engine import Tx
from app.db.tables import workspaces
from app.domain.period import UnknownTimeZone, zone_named


async def change_workspace(tx: Tx, workspace_id: UUID, changes: Mapping[str, Any]) -> None:
    """A new time zone decides the day of later answers only; what was counted stays. Raises UnknownTimeZone."""
    if "time_zone" in changes:
        await _check_time_zone(tx, changes["time_zone"])
    if changes:
        await tx.execute(
            update(workspaces)
            .where(workspaces.c.id == workspace_id)
            .values(**changes, revision=workspaces.c.revision + 1)
        )


async def _check_time_zone(tx: Tx, name: str) -> None:
    """PostgreSQL has a list of its own, and it is PostgreSQL that finds the day of an answer."""
    zone_named(name)
    try:
        async with tx.begin_nested():
            await tx.execute(text("SELECT now() AT TIME ZONE :name"), {"name": name})
    except DBAPIError as error:
        raise UnknownTimeZone("Use an IANA time zone such as Europe/Berlin.", pointer="/time_zone") from error
