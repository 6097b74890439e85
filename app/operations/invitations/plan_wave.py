"""Campaigns that ask by the calendar: a wave is opened when its time has come.

1. find the wave       after a stop only the latest of those missed, so that nobody is asked twice for silence
2. select its people   by the audience, less those whom something holds back, in a fair order
3. draw the sample     the first of them: who was left out last time comes first
4. write it down       the wave and its invitations together, to be scheduled in batches afterwards
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.audience_selection import Selection
from app.domain.invitation import AskingCampaign
from app.domain.rhythm import Every, Once, Wave, next_wave
from app.domain.sampling import sampled
from app.operations.invitations.insert import insert_wave
from app.queries.turns import find_wave, select_for


async def plan_wave(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime | None:
    """Returns when to look again: the next wave."""
    wave = await find_wave(tx, campaign, now=now)
    if wave is not None:
        selection = await select_for(tx, campaign, now=now)
        chosen = sampled(selection, campaign.asking.sample)
        await _write_down(tx, campaign, wave, selection, chosen, now=now)
    trigger = campaign.asking.trigger
    assert isinstance(trigger, Once | Every)
    coming = next_wave(trigger, now, anchor=campaign.anchor, zone=campaign.zone)
    return coming.starts_at if coming else None


async def _write_down(
    tx: Tx, campaign: AskingCampaign, wave: Wave, selection: Selection, chosen: Sequence[UUID], *, now: datetime
) -> None:
    assert wave.ends_at is not None
    place = campaign.workspace_id, campaign.id, wave.number
    await fetch(tx, _OPEN_WAVE, *place, wave.starts_at, wave.ends_at, selection.matched, len(chosen), now)
    await insert_wave(tx, campaign, chosen, wave=wave.number, latest_at=wave.ends_at, now=now)


_OPEN_WAVE = """
    INSERT INTO waves (workspace_id, campaign_id, number, state, starts_at, ends_at, audience_count, selected_count,
        created_at)
    VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8)
"""
