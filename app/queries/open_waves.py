"""Waves that are open: who is in them, and who has come to fit since they began."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.eligibility import PASSING
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Every, Once, Wave, next_wave
from app.domain.audience.sampling import sample_of
from app.queries.turns import select_for


@dataclass(frozen=True, slots=True)
class Latecomers:
    """`recipient_ids`: whom the wave has room for; `left_out`: how many more its sample has none for."""

    recipient_ids: Sequence[UUID] = ()
    left_out: int = 0


def takes_in_as_they_come(campaign: AskingCampaign) -> bool:
    """Other waves take in who has come to fit when the campaign is edited or resumed."""
    return campaign.asking.is_evenly_spread


async def find_open_wave(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    """With another `asking` than the campaign's own, as the wave would be then."""
    wave = await find_wave_as_edited(tx, campaign, now=now)
    return wave if wave is not None and wave.ends_at is not None and wave.ends_at > now else None


async def find_wave_as_edited(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    """The open one, which may be over by the `wave_days` of this `asking`."""
    for row in await fetch(tx, _FIND_OPEN, campaign.workspace_id, campaign.id, now):
        before = row["wave_days"] if row["is_in_waves"] and campaign.asking.is_in_waves else None
        moved = timedelta(0) if before is None else _waits_longer(campaign, row, before)
        return Wave(row["number"], row["starts_at"], row["ends_at"] + moved)
    return None


def _waits_longer(campaign: AskingCampaign, row: Mapping[str, Any], days_before: int) -> timedelta:
    """By how much, but not into the next wave."""
    asking = campaign.asking
    trigger = asking.trigger
    starts_at: datetime = row["starts_at"]
    ends_at: datetime = row["ends_at"]
    assert isinstance(trigger, Once | Every)
    coming = next_wave(trigger, starts_at, anchor=campaign.anchor, zone=campaign.zone)
    opened_at: datetime = max(starts_at, row["created_at"])
    ends = [opened_at + timedelta(days=days) for days in (days_before, asking.wave_days)]
    before, after = ends if coming is None else [min(end, coming.starts_at) for end in ends]
    moved = after - before
    return moved if coming is None else min(moved, max(coming.starts_at - ends_at, timedelta(0)))


async def read_planned(tx: Tx | ReadTx, campaign: AskingCampaign, wave: Wave) -> dict[UUID, datetime]:
    """Whom the wave has still to ask, in the order in which they are due, and when they were planned."""
    rows = await fetch(tx, _READ_PLANNED, campaign.workspace_id, campaign.id, wave.number)
    return {row["recipient_id"]: row["created_at"] for row in rows}


async def find_latecomers(
    tx: Tx | ReadTx, campaign: AskingCampaign, wave: Wave, recipient_ids: Sequence[UUID]
) -> Latecomers:
    """Of these, who can be asked, in their order. Whoever is in the wave counts for its sample and for their account,
    whatever has become of them: being asked may take people out of an audience."""
    rows = await fetch(
        tx, _FIND_LATE, campaign.workspace_id, campaign.id, wave.number, list(recipient_ids),
        [reason.value for reason in PASSING],
    )  # fmt: skip
    most = campaign.asking.most_per_account
    late = [
        row["id"] for row in rows if most is None or row["place_in_account"] is None or row["place_in_account"] <= most
    ]
    present = rows[0]["present"] if rows else 0
    room = max(0, sample_of(present + len(late), campaign.asking.sample) - present)
    return Latecomers(late[:room], len(late[room:]))


async def wave_taking_in(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> int | None:
    """The number of the open one, where it takes in whoever comes."""
    wave = await find_open_wave(tx, campaign, now=now) if takes_in_as_they_come(campaign) else None
    return wave.number if wave else None


async def is_to_be_taken_in(tx: Tx | ReadTx, campaign: AskingCampaign, recipient_id: UUID, *, now: datetime) -> bool:
    """Soon, and without anybody doing anything for it; of somebody who can be asked."""
    wave = await find_open_wave(tx, campaign, now=now) if takes_in_as_they_come(campaign) else None
    if wave is None:
        return False
    everybody: Sequence[UUID] = [recipient_id]
    if campaign.asking.sample is not None or campaign.asking.most_per_account is not None:
        everybody = (await select_for(tx, campaign, now=now)).recipient_ids
    return recipient_id in (await find_latecomers(tx, campaign, wave, everybody)).recipient_ids


_FIND_OPEN = """
    SELECT w.number, w.starts_at, w.created_at, w.ends_at + coalesce($3 - w.paused_at, interval '0') AS ends_at,
        (c.asking ->> 'wave_days')::int AS wave_days,
        c.asking -> 'trigger' ->> 'spread' IS DISTINCT FROM 'evenly' AS is_in_waves
    FROM waves w JOIN campaigns c ON c.workspace_id = w.workspace_id AND c.id = w.campaign_id
    WHERE w.workspace_id = $1 AND w.campaign_id = $2 AND w.state <> 'closed' AND w.ends_at > coalesce(w.paused_at, $3)
    ORDER BY w.number DESC LIMIT 1
"""
_READ_PLANNED = """
    SELECT recipient_id, created_at FROM invitations
    WHERE workspace_id = $1 AND campaign_id = $2 AND wave = $3 AND state = 'planned' ORDER BY due_at, id
"""
_FIND_LATE = """
    WITH present AS MATERIALIZED (
        SELECT v.recipient_id, p.account_id
        FROM invitations v JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
        WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.wave = $3
            AND (v.asked_at IS NOT NULL OR v.skip_reason IS NULL OR v.skip_reason <> ALL($5::text[]))
    ), busy AS (
        SELECT account_id, count(*) AS people FROM present GROUP BY 1
    )
    SELECT g.id, (SELECT count(*) FROM present)::int AS present,
        CASE WHEN p.account_id IS NOT NULL
            THEN coalesce(b.people, 0) + row_number() OVER (PARTITION BY p.account_id ORDER BY g.place)
        END AS place_in_account
    FROM unnest($4::uuid[]) WITH ORDINALITY AS g (id, place)
    JOIN recipients p ON p.workspace_id = $1 AND p.id = g.id
    LEFT JOIN busy b ON b.account_id = p.account_id
    WHERE NOT EXISTS (SELECT FROM present o WHERE o.recipient_id = g.id)
    ORDER BY g.place
"""
