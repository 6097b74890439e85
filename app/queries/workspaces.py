from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.engine import ReadTx, Tx
from app.db.tables import workspaces


async def get_workspace(tx: ReadTx | Tx, workspace_id: UUID) -> dict[str, Any]:
    """Of somebody who holds one of its keys, so it is there."""
    query = select(workspaces).where(workspaces.c.id == workspace_id)
    return dict((await tx.execute(query)).mappings().one())
