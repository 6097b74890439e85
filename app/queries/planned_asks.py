"""Asks that are planned and not sent, of campaigns that ask people one by one, and what has become of their reasons."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.answer_slots import last_in
from app.domain.asking.date_slots import date_in, date_slot, day_in
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import AfterAnswer, due_after_answer
from app.domain.asking.scheduling import Turn
from app.domain.asking.triggers import SLOT_OF, AfterTouchpoint, OnDate

Row = Mapping[str, Any]


async def read_planned_asks(tx: ReadTx | Tx, campaign: AskingCampaign, *, most: int) -> tuple[list[Turn], int]:
    """Those due first, and how many there are."""
    (counted,) = await fetch(tx, _COUNT, campaign.workspace_id, campaign.id)
    first = await fetch(tx, f"{_READ} ORDER BY v.due_at NULLS FIRST, v.id LIMIT $5", *_about(campaign), most)
    turns = [
        Turn(
            campaign.id,
            row["recipient_id"],
            campaign.zone,
            occurred_at=row["occurred_at"],
            day=day_in(row["slot"]),
            until=campaign.ends_at,
            not_before=turn_after_answer(campaign, row["slot"]),
            planned_at=row["created_at"],
            outlived=_outlived(campaign, row),
        )
        for row in first
    ]
    return turns, counted["mails"]


async def why_outlived(tx: ReadTx | Tx, campaign: AskingCampaign, invitation_id: UUID) -> Reason | None:
    """Of a planned one; None: it still stands."""
    rows = await fetch(tx, f"{_READ} AND v.id = $5", *_about(campaign), invitation_id)
    return _outlived(campaign, rows[0]) if rows else None


def turn_after_answer(campaign: AskingCampaign, slot: str) -> datetime | None:
    """From when on somebody is to be asked who was planned so long after an answer; None of all others."""
    rhythm, last = campaign.asking.trigger, last_in(slot)
    if last is None or not isinstance(rhythm, AfterAnswer):
        return None
    return due_after_answer(rhythm, anchor=campaign.anchor, zone=campaign.zone, answered_at=last, asked_at=None)


def _outlived(campaign: AskingCampaign, row: Row) -> Reason | None:
    trigger = campaign.asking.trigger
    is_about_another = isinstance(trigger, AfterTouchpoint) and row["touchpoint"] != trigger.name
    if is_about_another or row["slot"].partition(":")[0] != SLOT_OF[type(trigger)]:
        return Reason.TRIGGER_CHANGED
    if row["is_called_off"]:
        return Reason.CANCELLED
    if isinstance(trigger, OnDate):
        day = date_in({trigger.property: json.loads(row["said"] or "null")}, trigger)
        if day is None or row["slot"] != date_slot(trigger, day):
            return Reason.DATE_MOVED
    return None


def _about(campaign: AskingCampaign) -> tuple[Any, ...]:
    trigger = campaign.asking.trigger
    return (
        campaign.workspace_id,
        campaign.id,
        trigger.property if isinstance(trigger, OnDate) else None,
        list(trigger.cancelled_by) if isinstance(trigger, AfterTouchpoint) else [],
    )


_READ = """
    SELECT v.recipient_id, v.slot, v.created_at, t.name AS touchpoint, t.occurred_at,
        (p.properties -> $3::text)::text AS said,
        t.id IS NOT NULL AND EXISTS (
            SELECT FROM touchpoints g
            WHERE g.workspace_id = t.workspace_id AND g.recipient_id = t.recipient_id
                AND g.occurred_at >= t.occurred_at AND g.name = ANY($4::text[])
                AND (g.external_id IS NULL OR t.external_id IS NOT DISTINCT FROM g.external_id)
        ) AS is_called_off
    FROM invitations v
    JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
    LEFT JOIN touchpoints t ON t.workspace_id = v.workspace_id AND t.id = v.touchpoint_id
    WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.state = 'planned'
"""
_COUNT = """
    SELECT count(*)::int AS mails FROM invitations v
    WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.state = 'planned'
"""
