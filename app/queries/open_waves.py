"""Waves that are open: who is in them, and who has come to fit since they began."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.eligibility import PASSING
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Wave
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
    rows = await fetch(tx, _FIND_OPEN, campaign.workspace_id, campaign.id, now)
    return Wave(rows[0]["number"], rows[0]["starts_at"], rows[0]["ends_at"]) if rows else None


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
    SELECT number, starts_at, ends_at + coalesce($3 - paused_at, interval '0') AS ends_at FROM waves
    WHERE workspace_id = $1 AND campaign_id = $2 AND state <> 'closed' AND ends_at > coalesce(paused_at, $3)
    ORDER BY number DESC LIMIT 1
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
