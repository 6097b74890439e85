"""The planner: whoever gets to a campaign whose time has come plans what it asks next, once."""

from datetime import datetime
from uuid import UUID

import structlog

from app.db.engine import Tx
from app.db.spared import AGAIN_AFTER_FAILURE, spared
from app.db.statements import fetch, next_revision
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import AfterAnswer, Every, Once
from app.domain.asking.triggers import OnDate
from app.domain.ids import shown
from app.operations.invitations.hold import hold_large_wave
from app.operations.invitations.plan_people import plan_after_answers, plan_dates
from app.operations.invitations.plan_wave import plan_wave
from app.operations.invitations.replan import go_on_replanning
from app.operations.invitations.second_looks import look_again
from app.operations.invitations.wake import wake_campaigns
from app.operations.invitations.wave_clocks import let_wave_clocks_go_on
from app.queries.asking_campaigns import get_asking_campaign

RELEASED_AT_ONCE = 5_000

log = structlog.get_logger()


async def plan_due_campaign(tx: Tx, *, now: datetime) -> int:
    """One of them; says how many there were. A second worker passes over it."""
    found = await fetch(tx, _LOCK_DUE, now)
    if not found:
        return 0
    place = found[0]["workspace_id"], found[0]["id"]
    next_at = await spared(tx, lambda: _plan_one(tx, *place, now=now))
    if isinstance(next_at, Exception):
        log.error("a campaign cannot be planned; later again", campaign=shown("campaign", place[1]), exc_info=next_at)
        next_at = now + AGAIN_AFTER_FAILURE
    await fetch(tx, _NOTE_NEXT, *place, next_at)
    return 1


async def _plan_one(tx: Tx, workspace_id: UUID, campaign_id: UUID, *, now: datetime) -> datetime | None:
    campaign = await get_asking_campaign(tx, workspace_id, campaign_id)
    if campaign is None:
        return await release(tx, workspace_id, campaign_id, now=now)
    return await plan(tx, campaign, now=now)


async def plan(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime | None:
    """Returns when to plan again; None: when somebody changes something."""
    if campaign.state != "running":
        return await release(tx, campaign.workspace_id, campaign.id, now=now)
    await let_wave_clocks_go_on(tx, campaign, now=now)
    is_looking = await look_again(tx, campaign, now=now)
    await wake_campaigns(tx, [(campaign.workspace_id, campaign.id, now)])  # it may have been paused
    again_at = await go_on_replanning(tx, campaign.workspace_id, campaign.id, now=now)
    next_at = await _plan_next(tx, campaign, is_replanned=again_at is None, now=now)
    await hold_large_wave(tx, campaign, now=now)
    look_at = now if is_looking else None
    return min((at for at in (again_at, look_at, next_at) if at is not None), default=None)


async def _plan_next(tx: Tx, campaign: AskingCampaign, *, is_replanned: bool, now: datetime) -> datetime | None:
    match campaign.asking.trigger:
        case Once() | Every():
            return await plan_wave(tx, campaign, takes_in=is_replanned, now=now)
        case AfterAnswer():
            return await plan_after_answers(tx, campaign, now=now)
        case OnDate():
            return await plan_dates(tx, campaign, now=now)
        case _:  # touchpoints plan by themselves when they come in
            return None


async def release(tx: Tx, workspace_id: UUID, campaign_id: UUID, *, now: datetime) -> datetime | None:
    """What an ended campaign did not send is no longer wanted; a large one takes several rounds."""
    released = await fetch(tx, _RELEASE, workspace_id, campaign_id, RELEASED_AT_ONCE)
    return now if len(released) == RELEASED_AT_ONCE else None


_LOCK_DUE = """
    SELECT workspace_id, id FROM campaigns
    WHERE plan_due_at <= $1 AND state IN ('running', 'completed', 'archived')
    ORDER BY plan_due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
_NOTE_NEXT = "UPDATE campaigns SET plan_due_at = $3 WHERE workspace_id = $1 AND id = $2"
_RELEASE = f"""
    WITH unsent AS MATERIALIZED (
        SELECT workspace_id, id FROM invitations
        WHERE workspace_id = $1 AND campaign_id = $2 AND (state = 'planned' OR due_at IS NOT NULL) AND claim_id IS NULL
        LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE invitations v SET due_at = NULL, state = CASE WHEN v.state = 'planned' THEN 'released' ELSE v.state END,
        {next_revision("v")}
    FROM unsent u WHERE v.workspace_id = u.workspace_id AND v.id = u.id
    RETURNING v.id
"""
