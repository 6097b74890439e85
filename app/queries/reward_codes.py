"""How many codes a campaign has left to give, and which of them somebody holds."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.db.engine import ReadTx, Tx
from app.db.tables import reward_codes
from app.queries.campaigns import get_campaign


@dataclass(frozen=True, slots=True)
class RewardPool:
    total: int
    given: int

    @property
    def left(self) -> int:
        return self.total - self.given


async def reward_pool(tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID) -> RewardPool:
    """Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    query = select(func.count(), func.count(reward_codes.c.holder_id)).where(
        reward_codes.c.workspace_id == workspace_id, reward_codes.c.campaign_id == campaign_id
    )
    total, given = (await tx.execute(query)).one()
    return RewardPool(total, given)


async def held_code(tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, *, holder_id: UUID) -> str | None:
    query = select(reward_codes.c.code).where(
        reward_codes.c.workspace_id == workspace_id,
        reward_codes.c.campaign_id == campaign_id,
        reward_codes.c.holder_id == holder_id,
    )
    code: str | None = (await tx.execute(query)).scalar_one_or_none()
    return code
