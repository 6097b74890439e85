"""A database that was restored or copied elsewhere must not mail people: it sends nothing until it is adopted."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.tables import instance
from app.operations.workspaces import OpenedWorkspace, open_workspace
from app.queries.instance import Instance, find_instance, fingerprint
from app.queries.workspaces import any_workspace

FIRST_WORKSPACE = "My company"


async def recognise_instance(tx: Tx, *, now: datetime) -> Instance:
    """Before the first start nobody has been here, so this becomes the database's home."""
    await _settle_in(tx, now=now)
    found = await find_instance(tx)
    assert found is not None
    return found


async def begin_instance(tx: Tx, *, now: datetime) -> OpenedWorkspace | None:
    """On the very first start a workspace to begin with; two processes starting at once make one between them."""
    is_first = await _settle_in(tx, now=now)
    if not is_first or await any_workspace(tx):
        return None
    return await open_workspace(tx, FIRST_WORKSPACE, time_zone="UTC", now=now)


async def adopt_instance(tx: Tx, *, now: datetime) -> Instance:
    """This is its home from now on, whatever it was before."""
    if not (await recognise_instance(tx, now=now)).is_at_home:
        await tx.execute(
            update(instance).values(
                fingerprint=await fingerprint(tx), adopted_at=now, generation=instance.c.generation + 1
            )
        )
    return await recognise_instance(tx, now=now)


async def _settle_in(tx: Tx, *, now: datetime) -> bool:
    """Whether we are the first."""
    row = {"id": new_id(now), "fingerprint": await fingerprint(tx), "adopted_at": now}
    inserted = await tx.execute(insert(instance).values(row).on_conflict_do_nothing().returning(instance.c.id))
    return inserted.one_or_none() is not None
