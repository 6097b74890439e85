"""Who was skipped by a rule of the campaign's own and would be asked after all, now that the rules are others.

Only while it is not too late: of a wave that is open, of a touchpoint that was not called off meanwhile, of a date that
still stands, of the last turn after an answer, which the campaign's end may have cut short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.date_slots import day_in
from app.domain.asking.eligibility import PASSING, RULED, Reason, Skip
from app.domain.asking.foresight import foresee
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import AfterAnswer
from app.domain.asking.scheduling import Turn
from app.domain.asking.sending_window import SendingWindow
from app.domain.asking.triggers import SLOT_OF, AfterTouchpoint, OnDate
from app.queries.best_hours import best_hour_of
from app.queries.eligibility import read_facts
from app.queries.open_waves import find_open_wave
from app.queries.planned_asks import turn_after_answer
from app.queries.turns import DAY, IS_DAY

BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Skipped:
    id: UUID
    turn: Turn


async def read_skipped(
    tx: ReadTx | Tx, campaign: AskingCampaign, *, behind: UUID = BEFORE_ALL, limit: int, now: datetime
) -> list[Skipped]:
    """In the order of their ids, from the one behind that on."""
    trigger = campaign.asking.trigger
    of_calendar = not isinstance(trigger, AfterAnswer | AfterTouchpoint | OnDate)
    wave = await find_open_wave(tx, campaign, now=now) if of_calendar else None
    if of_calendar and wave is None:
        return []
    about = trigger.name if isinstance(trigger, AfterTouchpoint) else None
    rows = await fetch(
        tx, _READ, campaign.workspace_id, campaign.id, trigger.property if isinstance(trigger, OnDate) else about,
        SLOT_OF[type(trigger)], wave.number if wave else 0, [reason.value for reason in _reasons(campaign)], behind,
        limit, list(trigger.cancelled_by) if isinstance(trigger, AfterTouchpoint) else [],
        _earliest_in_time(trigger, campaign.asking.window, now) if isinstance(trigger, AfterTouchpoint) else None,
    )  # fmt: skip
    return [
        Skipped(
            row["id"],
            Turn(
                campaign.id,
                row["recipient_id"],
                campaign.zone,
                wave,
                row["occurred_at"],
                day_in(row["slot"]),
                campaign.ends_at,
                turn_after_answer(campaign, row["slot"]),
                row["created_at"],
            ),
        )
        for row in rows
    ]


async def who_is_asked_after_all(
    tx: ReadTx | Tx, campaign: AskingCampaign, skipped: Sequence[Skipped], *, now: datetime
) -> list[Skipped]:
    """Of these, by the rules as they are, and as sending would decide when their turn comes."""
    if not skipped:
        return []
    best = await best_hour_of(tx, campaign) if campaign.asking.window.wants_best_hour else None
    facts = await read_facts(tx, campaign, {one.turn.person for one in skipped}, now=now)
    found = []
    for one in skipped:
        person = one.turn.person
        prospect = foresee(
            campaign.asking, one.turn, facts.people[person], facts.wanted[person], facts.rules[person], best=best,
            now=now,
        )  # fmt: skip
        if not isinstance(prospect.decision, Skip):
            found.append(one)
    return found


def _earliest_in_time(trigger: AfterTouchpoint, window: SendingWindow, now: datetime) -> datetime:
    """No touchpoint from before then can be asked about: years of them would be gone through at each edit."""
    lateness = timedelta(minutes=trigger.delay_minutes, hours=trigger.max_lateness_hours)
    return now - lateness - window.longest_closed


def _reasons(campaign: AskingCampaign) -> tuple[Reason, ...]:
    """For other triggers, who plans them looks whether the other reasons have passed."""
    return (*RULED, *PASSING) if isinstance(campaign.asking.trigger, AfterTouchpoint) else RULED


_READ = f"""
    SELECT v.id, v.recipient_id, v.created_at, v.slot, t.occurred_at
    FROM invitations v
    JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
    LEFT JOIN touchpoints t ON t.workspace_id = v.workspace_id AND t.id = v.touchpoint_id
    WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.wave = $5 AND v.state = 'skipped' AND v.asked_at IS NULL
        AND v.skip_reason = ANY($6::text[]) AND v.id > $7 AND v.slot LIKE $4 || ':%'
        AND CASE $4
            WHEN 'date' THEN {IS_DAY} AND v.slot = 'date:' || $3::text || ':' || {DAY}
            WHEN 'touchpoint' THEN t.name = $3 AND t.occurred_at > $10::timestamptz AND NOT EXISTS (
                SELECT FROM touchpoints g
                WHERE g.workspace_id = v.workspace_id AND g.recipient_id = v.recipient_id AND g.name = ANY($9::text[])
                    AND g.occurred_at >= t.occurred_at
                    AND (g.external_id IS NULL OR t.external_id IS NOT DISTINCT FROM g.external_id)
            )
            WHEN 'after' THEN NOT EXISTS (
                SELECT FROM invitations o
                WHERE o.workspace_id = v.workspace_id AND o.recipient_id = v.recipient_id
                    AND o.campaign_id = v.campaign_id AND o.id > v.id
            )
            ELSE true
        END
    ORDER BY v.id LIMIT $8
"""
