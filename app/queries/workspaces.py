from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, exists, select

from app.db.engine import ReadTx, Tx
from app.db.tables import workspaces


async def get_workspace(tx: ReadTx | Tx, workspace_id: UUID) -> dict[str, Any]:
    """Of somebody who holds one of its keys, so it is there."""
    query = select(workspaces).where(workspaces.c.id == workspace_id)
    return dict((await tx.execute(query)).mappings().one())


async def find_workspace(tx: ReadTx | Tx, workspace_id: UUID) -> RowMapping | None:
    return (await tx.execute(select(workspaces).where(workspaces.c.id == workspace_id))).mappings().one_or_none()


async def list_workspaces(tx: ReadTx | Tx) -> Sequence[RowMapping]:
    """All of them, siblings together: for whoever runs the installation."""
    query = select(workspaces).order_by(workspaces.c.created_at, workspaces.c.name, workspaces.c.mode)
    return (await tx.execute(query)).mappings().all()


async def any_workspace(tx: ReadTx | Tx) -> bool:
    return bool((await tx.execute(select(exists().select_from(workspaces)))).scalar_one())
