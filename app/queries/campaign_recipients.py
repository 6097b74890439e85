from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx
from app.db.tables import campaign_recipients
from app.queries.campaigns import get_campaign
from app.queries.pages import Page, Slice, newest_first


async def list_campaign_recipients(tx: ReadTx, workspace_id: UUID, campaign_id: UUID, page: Page) -> Slice[RowMapping]:
    """Newest recipients first. Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    table = campaign_recipients.c
    members = (
        select(table.recipient_id.label("id"), table.added_at)
        .where(table.workspace_id == workspace_id, table.campaign_id == campaign_id)
        .subquery()
    )
    return await newest_first(tx, select(members), members, page)
