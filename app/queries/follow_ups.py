"""Who looks after a response. Where nobody took it on there is no row, and all of it is null."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.engine import ReadTx, Tx
from app.db.tables import follow_ups, responses
from app.domain.response import ResponseNotFound


async def get_follow_up(tx: ReadTx | Tx, workspace_id: UUID, response_id: UUID) -> dict[str, Any]:
    """Raises ResponseNotFound."""
    kept = follow_ups.c
    query = (
        select(responses.c.id.label("response_id"), *(kept[name] for name in SHOWN))
        .select_from(
            responses.outerjoin(
                follow_ups, (kept.workspace_id == responses.c.workspace_id) & (kept.response_id == responses.c.id)
            )
        )
        .where(responses.c.workspace_id == workspace_id, responses.c.id == response_id)
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise ResponseNotFound("There is no response with this id.")
    return dict(row)


SHOWN = ("state", "owner", "changed_by", "changed_at", "resolved_at", "revision")
