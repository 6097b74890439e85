from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx, Tx
from app.db.tables import replays
from app.domain.webhooks.replay import ReplayNotFound
from app.queries.pages import Page, Slice, newest_first


async def list_replays(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, page: Page) -> Slice[RowMapping]:
    kept = replays.c
    query = select(replays).where(kept.workspace_id == workspace_id, kept.endpoint_id == endpoint_id)
    return await newest_first(tx, query, replays, page)


async def get_replay(tx: ReadTx | Tx, workspace_id: UUID, replay_id: UUID) -> RowMapping:
    """Raises ReplayNotFound."""
    query = select(replays).where(replays.c.workspace_id == workspace_id, replays.c.id == replay_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise ReplayNotFound("There is no replay with this id; finished ones are kept for 30 days.")
    return row
