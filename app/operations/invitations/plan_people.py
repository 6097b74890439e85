"""Campaigns that ask each person in their own time: some days after an answer, or around a date of theirs."""

from datetime import datetime, timedelta

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.triggers import OnDate
from app.operations.invitations.insert import insert_invitations
from app.queries.enough import is_enough_known
from app.queries.turns import DAY, IS_DAY, find_after_answers, find_dates

PLANNED_EVERY = timedelta(hours=1)


async def plan_after_answers(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime:
    slots = [] if await is_enough_known(tx, campaign) else await find_after_answers(tx, campaign, now=now)
    await insert_invitations(tx, campaign, slots, now=now)
    return now + PLANNED_EVERY


async def plan_dates(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime:
    """Moves what is planned for a date that has moved, and plans what comes near."""
    trigger = campaign.asking.trigger
    assert isinstance(trigger, OnDate)
    place = campaign.workspace_id, campaign.id
    await fetch(tx, _MOVE, *place, trigger.property)
    await fetch(tx, _DROP, *place, trigger.property, Reason.DATE_MOVED.value)
    slots = [] if await is_enough_known(tx, campaign) else await find_dates(tx, campaign, now=now)
    await insert_invitations(tx, campaign, slots, now=now)
    return now + PLANNED_EVERY


_STALE = f"""
    v.workspace_id = $1 AND v.campaign_id = $2 AND v.state = 'planned' AND v.claim_id IS NULL
    AND p.workspace_id = v.workspace_id AND p.id = v.recipient_id
    AND v.slot LIKE 'date:%' AND v.slot IS DISTINCT FROM 'date:' || $3 || ':' || {DAY}
"""
_MOVE = f"""
    UPDATE invitations v SET slot = 'date:' || $3 || ':' || {DAY}, due_at = NULL, latest_at = NULL,
        {next_revision("v")}
    FROM recipients p
    WHERE {_STALE} AND {IS_DAY} AND NOT EXISTS (
        SELECT FROM invitations o WHERE o.workspace_id = v.workspace_id AND o.recipient_id = v.recipient_id
            AND o.campaign_id = v.campaign_id AND o.slot = 'date:' || $3 || ':' || {DAY}
    )
"""
_DROP = f"""
    UPDATE invitations v SET state = 'skipped', skip_reason = $4, due_at = NULL,
        {next_revision("v")}
    FROM recipients p WHERE {_STALE}
"""
