"""Invitations and waves as the API shows them; sending reads its own, where it claims them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx, Tx
from app.db.tables import invitations, waves
from app.domain.asking.invitation import InvitationNotFound
from app.queries.campaigns import get_campaign
from app.queries.pages import Page, Slice, by_number, paged

ROW = invitations.c


@dataclass(frozen=True, slots=True)
class InvitationFilter:
    state: str | None = None
    skip_reason: str | None = None
    wave: int | None = None
    variant: str | None = None
    recipient_id: UUID | None = None


async def list_invitations(
    tx: ReadTx, workspace_id: UUID, campaign_id: UUID, wanted: InvitationFilter, page: Page
) -> Slice[RowMapping]:
    """Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    query = select(invitations).where(ROW.workspace_id == workspace_id, ROW.campaign_id == campaign_id)
    for name in InvitationFilter.__slots__:
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(ROW[name] == value)
    return await paged(tx, query, invitations, page)


async def get_invitation(tx: ReadTx | Tx, workspace_id: UUID, invitation_id: UUID) -> RowMapping:
    """Raises InvitationNotFound."""
    query = select(invitations).where(ROW.workspace_id == workspace_id, ROW.id == invitation_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise InvitationNotFound("There is no invitation with this id.")
    return row


async def latest_invitation(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, recipient_id: UUID
) -> RowMapping | None:
    """Of those that are still to be sent, if there are any."""
    query = select(invitations).where(
        ROW.workspace_id == workspace_id, ROW.recipient_id == recipient_id, ROW.campaign_id == campaign_id
    )
    planned_first = (ROW.state == "planned").desc()
    return (await tx.execute(query.order_by(planned_first, ROW.id.desc()).limit(1))).mappings().one_or_none()


async def list_waves(tx: ReadTx, workspace_id: UUID, campaign_id: UUID, page: Page) -> Slice[RowMapping]:
    """Newest first. Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    query = select(waves).where(waves.c.workspace_id == workspace_id, waves.c.campaign_id == campaign_id)
    return await by_number(tx, query, waves.c.number, page, is_descending=True)
