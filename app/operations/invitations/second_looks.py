"""After an edit, or a pause, whom a rule of the campaign's own had skipped is looked at again, some at a time.

Who would be asked by the rules as they are now is planned again; the others stay as they are.
"""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.triggers import AfterTouchpoint
from app.operations.touchpoint_turns import take_turns
from app.queries.second_looks import Skipped, read_skipped, who_is_asked_after_all

AT_ONCE = 2_000


async def look_again(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> bool:
    """One batch. Says whether there may be more."""
    place = campaign.workspace_id, campaign.id
    (row,) = await fetch(tx, _READ_PLACE, *place)
    behind: UUID | None = row["second_look_behind"]
    if behind is None:
        return False
    skipped = await read_skipped(tx, campaign, behind=behind, limit=AT_ONCE, now=now)
    is_last = len(skipped) < AT_ONCE
    await fetch(tx, _NOTE_PLACE, *place, None if is_last else skipped[-1].id)
    if isinstance(campaign.asking.trigger, AfterTouchpoint):
        skipped = await _not_called_off(tx, campaign, skipped, behind=behind, now=now)
    again = await who_is_asked_after_all(tx, campaign, skipped, now=now)
    if again:
        await fetch(tx, _PLAN_AGAIN, campaign.workspace_id, [one.id for one in again])
    return not is_last


async def _not_called_off(
    tx: Tx, campaign: AskingCampaign, skipped: list[Skipped], *, behind: UUID, now: datetime
) -> list[Skipped]:
    """Whoever calls one off at this moment either sees it planned, or is seen."""
    await take_turns(tx, campaign.workspace_id, {one.turn.person for one in skipped})
    known = {one.id for one in skipped}
    found = await read_skipped(tx, campaign, behind=behind, limit=AT_ONCE, now=now)
    return [one for one in found if one.id in known]


_READ_PLACE = "SELECT second_look_behind FROM campaigns WHERE workspace_id = $1 AND id = $2"
_NOTE_PLACE = "UPDATE campaigns SET second_look_behind = $3 WHERE workspace_id = $1 AND id = $2"
_PLAN_AGAIN = f"""
    UPDATE invitations v SET state = 'planned', skip_reason = NULL, due_at = NULL, latest_at = NULL,
        {next_revision("v")}
    WHERE v.workspace_id = $1 AND v.id = ANY($2::uuid[]) AND v.state = 'skipped' AND v.asked_at IS NULL
"""
