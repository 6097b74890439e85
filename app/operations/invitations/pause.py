"""A campaign that pauses by itself says why: in `paused_reason`, as an event, and to whoever looks after it."""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.asking.automatic_stop import PausedReason
from app.domain.campaign import CampaignMove
from app.domain.ids import shown
from app.operations.campaigns import move_campaign
from app.operations.notices import notify


async def pause_by_itself(
    tx: Tx, workspace_id: UUID, campaign_id: UUID, reason: PausedReason, *, text: str, now: datetime
) -> None:
    """`text` goes on from the sentence that says what happened."""
    await fetch(tx, _SAY_WHY, workspace_id, campaign_id, reason.value)
    await move_campaign(tx, workspace_id, campaign_id, CampaignMove.PAUSE, now=now)
    begin = f"The campaign {shown('campaign', campaign_id)} was paused because of its {_IN_WORDS[reason]}.\n\n"
    await notify(tx, workspace_id, subject="a campaign was paused", text=begin + text, now=now)


_IN_WORDS = {
    PausedReason.COMPLAINTS: "complaints",
    PausedReason.BOUNCES: "bounces",
    PausedReason.SENDER_DOMAIN: "sender's domain",
}
_SAY_WHY = "UPDATE campaigns SET paused_reason = $3 WHERE workspace_id = $1 AND id = $2"
