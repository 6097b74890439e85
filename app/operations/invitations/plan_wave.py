"""Campaigns that ask by the calendar: a wave is opened when its time has come.

1. find the wave       after a stop only the latest of those missed, so that nobody is asked twice for silence
2. select its people   by the audience, less those whom something holds back, in a fair order
3. draw the sample     the first of them: who was left out last time comes first
4. write it down       the wave and its invitations, to be scheduled in batches afterwards

A wave of very many is written down in several transactions, and is `selecting` until the last of them. While it is
open it takes in who has come to fit: people who are asked evenly over the period as they come, others after an edit.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Every, Once, Wave, next_wave
from app.domain.audience.sampling import sampled
from app.operations.invitations.insert import insert_wave
from app.operations.invitations.plan_people import PLANNED_EVERY
from app.queries.open_waves import find_latecomers, find_open_wave, takes_in_as_they_come
from app.queries.turns import find_wave, select_for

TAKEN_AT_ONCE = 100_000  # people in one transaction
IN_ONE_STATEMENT = 10_000


async def plan_wave(tx: Tx, campaign: AskingCampaign, *, takes_in: bool = True, now: datetime) -> datetime | None:
    """Returns when to look again: the next wave, or at once where this one is not all written down. `takes_in`:
    whether who comes late is looked for."""
    wave, is_begun = await _begun(tx, campaign), True
    if wave is None:
        wave, is_begun = await find_wave(tx, campaign, now=now), False
    if wave is not None:
        is_all = await _take(tx, campaign, wave, is_begun=is_begun, now=now)
        if is_begun or not is_all:
            return now
    elif takes_in:
        await _take_in(tx, campaign, now=now)
    return _look_again_at(campaign, now)


def _look_again_at(campaign: AskingCampaign, now: datetime) -> datetime | None:
    trigger = campaign.asking.trigger
    assert isinstance(trigger, Once | Every)
    coming = next_wave(trigger, now, anchor=campaign.anchor, zone=campaign.zone)
    if coming is None:
        return None
    return min(coming.starts_at, now + PLANNED_EVERY) if takes_in_as_they_come(campaign) else coming.starts_at


async def _begun(tx: Tx, campaign: AskingCampaign) -> Wave | None:
    rows = await fetch(tx, _FIND_BEGUN, campaign.workspace_id, campaign.id)
    return Wave(rows[0]["number"], rows[0]["starts_at"], rows[0]["ends_at"]) if rows else None


async def _take(tx: Tx, campaign: AskingCampaign, wave: Wave, *, is_begun: bool, now: datetime) -> bool:
    """Whether that was everybody."""
    assert wave.ends_at is not None
    place = campaign.workspace_id, campaign.id, wave.number
    selection = await select_for(tx, campaign, now=now)
    people = sampled(selection, campaign.asking.sample)
    if is_begun:
        people = await _still_missing(tx, campaign, wave, people)
    else:
        await fetch(tx, _BEGIN_WAVE, *place, wave.starts_at, wave.ends_at, selection.matched, len(people), now)
    taken = iter(people[:TAKEN_AT_ONCE])
    while some := list(islice(taken, IN_ONE_STATEMENT)):
        await insert_wave(tx, campaign, some, wave=wave.number, latest_at=wave.ends_at, now=now)
    if len(people) >= IN_ONE_STATEMENT:
        # Until the table's statistics know of them, PostgreSQL looks for one person among all of the campaign's.
        await fetch(tx, "ANALYZE invitations")
    if len(people) > TAKEN_AT_ONCE:
        return False
    await fetch(tx, _OPEN_WAVE, *place)
    return True


async def _take_in(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> None:
    wave = await find_open_wave(tx, campaign, now=now)
    if wave is None:
        return
    assert wave.ends_at is not None
    selection = await select_for(tx, campaign, now=now)
    late = (await find_latecomers(tx, campaign, wave, selection.recipient_ids)).recipient_ids
    for begin in range(0, len(late), IN_ONE_STATEMENT):
        some = late[begin : begin + IN_ONE_STATEMENT]
        await insert_wave(tx, campaign, some, wave=wave.number, latest_at=wave.ends_at, now=now)
    if late:
        place = campaign.workspace_id, campaign.id, wave.number
        await fetch(tx, _COUNT_LATE, *place, selection.matched)


async def _still_missing(tx: Tx, campaign: AskingCampaign, wave: Wave, people: Sequence[UUID]) -> Sequence[UUID]:
    """Of a sample only so many more: meanwhile some were asked, and others have taken their place in the order."""
    place = campaign.workspace_id, campaign.id, wave.number
    rows = await fetch(tx, _FIND_MISSING, *place, f"wave:{wave.number}", list(people))
    return [row["id"] for row in rows]


_FIND_BEGUN = """
    SELECT number, starts_at, ends_at FROM waves
    WHERE workspace_id = $1 AND campaign_id = $2 AND state = 'selecting'
"""
_BEGIN_WAVE = """
    INSERT INTO waves
        (workspace_id, campaign_id, number, starts_at, ends_at, audience_count, selected_count, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_OPEN_WAVE = "UPDATE waves SET state = 'open' WHERE workspace_id = $1 AND campaign_id = $2 AND number = $3"
_COUNT_LATE = """
    UPDATE waves w SET audience_count = greatest(w.audience_count, $4), selected_count = (
        SELECT count(*) FROM invitations v WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.wave = $3
    ) WHERE w.workspace_id = $1 AND w.campaign_id = $2 AND w.number = $3
"""
_FIND_MISSING = """
    SELECT g.id FROM unnest($5::uuid[]) WITH ORDINALITY AS g (id, place)
    WHERE NOT EXISTS (
        SELECT FROM invitations v
        WHERE v.workspace_id = $1 AND v.recipient_id = g.id AND v.campaign_id = $2 AND v.slot = $4
    )
    ORDER BY g.place LIMIT (
        SELECT greatest(0, w.selected_count - (
            SELECT count(*) FROM invitations v WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.wave = $3
        )) FROM waves w WHERE w.workspace_id = $1 AND w.campaign_id = $2 AND w.number = $3
    )
"""
