"""Campaigns that ask each person in their own time: some days after an answer, or around a date of theirs."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.eligibility import Reason
from app.domain.invitation import AskingCampaign
from app.domain.period import day_of
from app.domain.rhythm import AfterAnswer, due_after_answer
from app.domain.triggers import OnDate
from app.operations.invitations.insert import insert_invitations
from app.operations.invitations.plan_wave import sampled
from app.queries.audiences import select_audience, who_fits

PLANNED_EVERY = timedelta(hours=1)
AHEAD = timedelta(hours=2)
DAYS_AHEAD = timedelta(days=3)


async def plan_after_answers(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime:
    slots = await find_after_answers(tx, campaign, now=now)
    await insert_invitations(tx, campaign, slots, now=now)
    return now + PLANNED_EVERY


async def find_after_answers(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> list[tuple[UUID, str]]:
    """Whose turn it is, with the ask or answer that it comes after; not of whoever has an invitation already."""
    asking, rhythm = campaign.asking, campaign.asking.trigger
    assert isinstance(rhythm, AfterAnswer)
    selection = await select_audience(
        tx, campaign.workspace_id, asking.filter, campaign_id=campaign.id, restraint=asking.restraint, now=now
    )
    chosen = sampled(selection, asking.sample)
    rows = await fetch(tx, _READ_LAST, campaign.workspace_id, campaign.id, list(chosen))
    slots = []
    for row in rows:
        due_at = due_after_answer(
            rhythm, anchor=campaign.anchor, zone=campaign.zone, answered_at=row["answered_at"],
            asked_at=row["asked_at"],
        )  # fmt: skip
        if due_at <= now + AHEAD:
            last = max((at for at in (row["answered_at"], row["asked_at"]) if at is not None), default=None)
            slots.append((row["id"], f"after:{last.isoformat()}" if last else "after:start"))
    return slots


async def plan_dates(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> datetime:
    """Moves what is planned for a date that has moved, and plans what comes near."""
    trigger = campaign.asking.trigger
    assert isinstance(trigger, OnDate)
    place = campaign.workspace_id, campaign.id
    await fetch(tx, _MOVE, *place, trigger.property)
    await fetch(tx, _DROP, *place, trigger.property, Reason.DATE_MOVED.value)
    slots = await find_dates(tx, campaign, now=now)
    await insert_invitations(tx, campaign, slots, now=now)
    return now + PLANNED_EVERY


async def find_dates(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> list[tuple[UUID, str]]:
    trigger = campaign.asking.trigger
    assert isinstance(trigger, OnDate)
    today, offset = day_of(now, campaign.zone), timedelta(days=trigger.offset_days)
    first = today - offset - timedelta(days=trigger.max_lateness_days)
    rows = await fetch(
        tx, _READ_DATES, campaign.workspace_id, campaign.id, trigger.property,
        first.isoformat(), (today - offset + DAYS_AHEAD).isoformat(),
    )  # fmt: skip
    fitting = await who_may_be_asked(tx, campaign, [row["id"] for row in rows], now=now)
    return [(row["id"], f"date:{trigger.property}:{row['day']}") for row in rows if row["id"] in fitting]


async def who_may_be_asked(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Sequence[UUID], *, now: datetime
) -> Collection[UUID]:
    """Of these the ones whom the campaign means: its list, its audience, and nobody too new."""
    if not recipient_ids:
        return set()
    asking = campaign.asking
    newest = now - timedelta(days=asking.exclude_newer_than_days or 0)
    rows = await fetch(tx, _READ_MEANT, campaign.workspace_id, campaign.id, list(recipient_ids), newest)
    meant = [row["id"] for row in rows]
    return meant if asking.filter is None else await who_fits(tx, campaign.workspace_id, asking.filter, meant, now=now)


_READ_LAST = """
    SELECT g.id, answer.answered_at, ask.asked_at
    FROM unnest($3::uuid[]) AS g (id)
    LEFT JOIN LATERAL (
        SELECT max(r.answered_at) AS answered_at FROM responses r
        WHERE r.workspace_id = $1 AND r.recipient_id = g.id AND r.campaign_id = $2 AND r.excluded_at IS NULL
    ) answer ON true
    LEFT JOIN LATERAL (
        SELECT max(v.asked_at) AS asked_at, bool_or(v.state IN ('planned', 'sending')) AS is_planned
        FROM invitations v WHERE v.workspace_id = $1 AND v.recipient_id = g.id AND v.campaign_id = $2
    ) ask ON true
    WHERE ask.is_planned IS NOT TRUE
"""

# A day as it is written sorts as it lies in time.
_DAY = "substr(p.properties ->> $3, 1, 10)"
_IS_DAY = "p.properties ->> $3 ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ]|$)'"
_READ_DATES = f"""
    SELECT p.id, {_DAY} AS day FROM recipients p
    WHERE p.workspace_id = $1 AND p.deleted_at IS NULL AND {_IS_DAY} AND {_DAY} >= $4 AND {_DAY} <= $5
        AND NOT EXISTS (
            SELECT FROM invitations v WHERE v.workspace_id = p.workspace_id AND v.recipient_id = p.id
                AND v.campaign_id = $2 AND v.slot = 'date:' || $3 || ':' || {_DAY} AND v.state <> 'released'
        )
"""
_STALE = f"""
    v.workspace_id = $1 AND v.campaign_id = $2 AND v.state = 'planned' AND v.claim_id IS NULL
    AND p.workspace_id = v.workspace_id AND p.id = v.recipient_id
    AND v.slot LIKE 'date:%' AND v.slot IS DISTINCT FROM 'date:' || $3 || ':' || {_DAY}
"""
_MOVE = f"""
    UPDATE invitations v SET slot = 'date:' || $3 || ':' || {_DAY}, due_at = NULL, latest_at = NULL,
        revision = v.revision + 1, changed_in = pg_current_xact_id()
    FROM recipients p
    WHERE {_STALE} AND {_IS_DAY} AND NOT EXISTS (
        SELECT FROM invitations o WHERE o.workspace_id = v.workspace_id AND o.recipient_id = v.recipient_id
            AND o.campaign_id = v.campaign_id AND o.slot = 'date:' || $3 || ':' || {_DAY}
    )
"""
_DROP = f"""
    UPDATE invitations v SET state = 'skipped', skip_reason = $4, due_at = NULL,
        revision = v.revision + 1, changed_in = pg_current_xact_id()
    FROM recipients p WHERE {_STALE}
"""
_READ_MEANT = """
    SELECT p.id FROM recipients p
    WHERE p.workspace_id = $1 AND p.id = ANY($3::uuid[]) AND p.deleted_at IS NULL AND p.created_at <= $4
        AND (
            NOT EXISTS (SELECT FROM campaign_recipients l WHERE l.workspace_id = $1 AND l.campaign_id = $2)
            OR EXISTS (
                SELECT FROM campaign_recipients l
                WHERE l.workspace_id = $1 AND l.campaign_id = $2 AND l.recipient_id = p.id
            )
        )
"""
