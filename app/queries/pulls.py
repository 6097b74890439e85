from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.engine import ReadTx, Tx
from app.db.tables import pulls


async def find_pull(tx: ReadTx | Tx, workspace_id: UUID, endpoint_id: UUID) -> dict[str, Any] | None:
    kept = pulls.c
    query = select(pulls).where(kept.workspace_id == workspace_id, kept.endpoint_id == endpoint_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    return dict(row) if row else None
