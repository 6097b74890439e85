from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx, Tx
from app.db.tables import recipients, touchpoints
from app.domain.asking.touchpoint import TouchpointNotFound
from app.queries.pages import Page, Slice, paged

ROW = touchpoints.c


@dataclass(frozen=True, slots=True)
class TouchpointFilter:
    recipient_id: UUID | None = None
    name: str | None = None
    external_id: str | None = None


async def list_touchpoints(tx: ReadTx, workspace_id: UUID, wanted: TouchpointFilter, page: Page) -> Slice[RowMapping]:
    query = select(touchpoints).where(ROW.workspace_id == workspace_id)
    for name in ("recipient_id", "name", "external_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(ROW[name] == value)
    return await paged(tx, query, touchpoints, page)


async def get_touchpoint(tx: ReadTx | Tx, workspace_id: UUID, touchpoint_id: UUID) -> RowMapping:
    """Raises TouchpointNotFound."""
    query = select(touchpoints).where(ROW.workspace_id == workspace_id, ROW.id == touchpoint_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise TouchpointNotFound("There is no touchpoint with this id.")
    return row


async def known_recipients(tx: ReadTx | Tx, workspace_id: UUID, recipient_ids: Sequence[UUID]) -> set[UUID]:
    """Those of them that are there and not erased."""
    query = select(recipients.c.id).where(
        recipients.c.workspace_id == workspace_id,
        recipients.c.id.in_(recipient_ids),
        recipients.c.deleted_at.is_(None),
    )
    return set((await tx.execute(query)).scalars())
