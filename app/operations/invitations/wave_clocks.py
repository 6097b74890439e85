"""When open waves end. Their clocks stand still while their campaign is paused: nobody loses their turn to a pause.

A pause only notes when it began. Whoever plans first after it moves the end of the wave, never into the next one.
"""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.asking.asking import Asking
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Every, next_wave
from app.queries.asking_campaigns import get_asking_campaign
from app.queries.open_waves import find_wave_as_edited


async def stop_wave_clocks(tx: Tx, workspace_id: UUID, campaign_id: UUID, *, now: datetime) -> None:
    await fetch(tx, _STOP, workspace_id, campaign_id, now)


async def let_wave_clocks_go_on(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> None:
    place = campaign.workspace_id, campaign.id
    for wave in await fetch(tx, _FIND_STOPPED, *place):
        moved = wave["ends_at"] + (now - wave["paused_at"])
        next_at = _next_start(campaign, wave["paused_at"])
        ends_at = moved if next_at is None else max(wave["ends_at"], min(moved, next_at))
        await fetch(tx, _GO_ON, *place, wave["number"], ends_at)
        await fetch(tx, _MOVE_PLANNED, *place, wave["number"], campaign.in_time(ends_at))


async def move_open_wave(tx: Tx, workspace_id: UUID, campaign_id: UUID, asking: Asking, *, now: datetime) -> None:
    """To where it ends by another `asking` than the stored one, before that is stored."""
    campaign = await get_asking_campaign(tx, workspace_id, campaign_id, asking=asking)
    wave = await find_wave_as_edited(tx, campaign, now=now) if campaign is not None and asking.is_in_waves else None
    if wave is not None and wave.ends_at is not None:
        await fetch(tx, _MOVE_END, workspace_id, campaign_id, wave.number, max(wave.ends_at, now), now)


def _next_start(campaign: AskingCampaign, instant: datetime) -> datetime | None:
    trigger = campaign.asking.trigger
    coming = (
        next_wave(trigger, instant, anchor=campaign.anchor, zone=campaign.zone) if isinstance(trigger, Every) else None
    )
    return coming.starts_at if coming else None


_STOP = """
    UPDATE waves SET paused_at = $3
    WHERE workspace_id = $1 AND campaign_id = $2 AND state <> 'closed' AND paused_at IS NULL
"""
_FIND_STOPPED = """
    SELECT number, ends_at, paused_at FROM waves
    WHERE workspace_id = $1 AND campaign_id = $2 AND state <> 'closed' AND paused_at IS NOT NULL
    ORDER BY number FOR UPDATE
"""
_GO_ON = """
    UPDATE waves SET paused_at = NULL, ends_at = $4 WHERE workspace_id = $1 AND campaign_id = $2 AND number = $3
"""
_MOVE_END = """
    UPDATE waves SET ends_at = $4::timestamptz - coalesce($5::timestamptz - paused_at, interval '0')
    WHERE workspace_id = $1 AND campaign_id = $2 AND number = $3
"""
# What a sender holds at this moment goes by the wave's end all the same.
_MOVE_PLANNED = f"""
    WITH planned AS MATERIALIZED (
        SELECT id FROM invitations
        WHERE workspace_id = $1 AND campaign_id = $2 AND wave = $3 AND state = 'planned' AND latest_at <> $4
        FOR UPDATE SKIP LOCKED
    )
    UPDATE invitations v SET latest_at = $4, {next_revision("v")}
    FROM planned p WHERE v.workspace_id = $1 AND v.id = p.id
"""
