"""Campaigns that ask by the calendar: a wave is opened when its time has come.

1. find the wave       after a stop only the latest of those missed, so that nobody is asked twice for silence
2. select its people   by the audience, less those whom something holds back, in a fair order
3. draw the sample     the first of them: who was left out last time comes first
4. write it down       the wave and its invitations together, to be scheduled in batches afterwards
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking_parts import Percentage, Sample
from app.domain.audience_selection import Selection
from app.domain.invitation import AskingCampaign
from app.domain.rhythm import Every, Once, Spread, Wave, next_wave, wave_at
from app.domain.sample_size import Precision, sample_size
from app.operations.invitations.insert import insert_wave
from app.queries.audiences import select_audience


async def plan_wave(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime | None:
    """Returns when to look again: the next wave."""
    wave = await find_wave(tx, campaign, now=now)
    if wave is not None:
        selection = await select_wave(tx, campaign, now=now)
        chosen = sampled(selection, campaign.asking.sample)
        await _write_down(tx, campaign, wave, selection, chosen, now=now)
    trigger = campaign.asking.trigger
    assert isinstance(trigger, Once | Every)
    coming = next_wave(trigger, now, anchor=campaign.anchor, zone=campaign.zone)
    return coming.starts_at if coming else None


async def find_wave(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    """The one to open now, with the number it gets. A changed rhythm counts on from the waves there were."""
    trigger = campaign.asking.trigger
    assert isinstance(trigger, Once | Every)
    wave = wave_at(trigger, now, anchor=campaign.anchor, zone=campaign.zone)
    (last,) = await fetch(tx, _LAST_WAVE, campaign.workspace_id, campaign.id)
    if wave is None or (last["starts_at"] is not None and wave.starts_at <= last["starts_at"]):
        return None
    return replace(wave, number=last["number"] + 1, ends_at=_ends_at(campaign, wave, now))


async def select_wave(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> Selection:
    asking = campaign.asking
    return await select_audience(
        tx, campaign.workspace_id, asking.filter, campaign_id=campaign.id, restraint=asking.restraint, now=now
    )


def sampled(selection: Selection, sample: Sample | None) -> Sequence[UUID]:
    people = selection.recipient_ids
    if sample is None or not people:
        return people
    if isinstance(sample, Percentage):
        return people[: ceil(len(people) * sample.percent / 100)]
    wanted = Precision(sample.margin, sample.confidence, len(people), sample.response_rate)
    return people[: sample_size(wanted).invitations]


def _ends_at(campaign: AskingCampaign, wave: Wave, now: datetime) -> datetime:
    """A wave waits for people who are not free yet, but not into the next one."""
    trigger = campaign.asking.trigger
    if isinstance(trigger, Every) and trigger.spread is Spread.EVENLY and wave.ends_at is not None:
        return wave.ends_at
    waited = max(wave.starts_at, now) + timedelta(days=campaign.asking.wave_days)
    return waited if wave.ends_at is None else min(waited, wave.ends_at)


async def _write_down(
    tx: Tx, campaign: AskingCampaign, wave: Wave, selection: Selection, chosen: Sequence[UUID], *, now: datetime
) -> None:
    assert wave.ends_at is not None
    place = campaign.workspace_id, campaign.id, wave.number
    await fetch(tx, _OPEN_WAVE, *place, wave.starts_at, wave.ends_at, selection.matched, len(chosen), now)
    await insert_wave(tx, campaign, chosen, wave=wave.number, latest_at=wave.ends_at, now=now)


_LAST_WAVE = """
    SELECT coalesce(max(number), 0) AS number, max(starts_at) AS starts_at
    FROM waves WHERE workspace_id = $1 AND campaign_id = $2
"""
_OPEN_WAVE = """
    INSERT INTO waves (workspace_id, campaign_id, number, state, starts_at, ends_at, audience_count, selected_count,
        created_at)
    VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8)
"""
