from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.engine import ReadTx, Tx
from app.db.tables import authorizations
from app.domain.connectors.authorization import AuthorizationNotFound


async def get_authorization(tx: ReadTx | Tx, workspace_id: UUID, authorization_id: UUID) -> dict[str, Any]:
    """Raises AuthorizationNotFound."""
    kept = authorizations.c
    query = select(authorizations).where(kept.workspace_id == workspace_id, kept.id == authorization_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise AuthorizationNotFound(
            "There is no authorization with this id. They are forgotten a day after they expire."
        )
    return dict(row)
