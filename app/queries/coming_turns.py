"""When the turn of somebody who has no invitation comes, and why none was made."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.date_slots import date_in, date_slot, due_on_date, latest_for_date
from app.domain.asking.eligibility import PASSING, Reason, Skip, Wait
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import AfterAnswer, Every, Once
from app.domain.asking.triggers import AfterTouchpoint, OnDate
from app.domain.audience.sampling import is_drawn
from app.queries.open_waves import is_to_be_taken_in
from app.queries.turns import find_after_answers, find_next_wave, find_wave, read_turns_after_answers


async def wait_for_turn(
    tx: ReadTx | Tx, campaign: AskingCampaign, recipient_id: UUID, *, zone: ZoneInfo, now: datetime
) -> Wait | Skip | None:
    """Of somebody who could be asked; None: it is their turn, and whoever plans next invites them."""
    match campaign.asking.trigger:
        case Once() | Every():
            return await _next_wave(tx, campaign, recipient_id, now=now)
        case AfterAnswer():
            return await _after_answer(tx, campaign, recipient_id, now=now)
        case OnDate():
            return await _on_date(tx, campaign, recipient_id, zone=zone, now=now)
        case AfterTouchpoint():
            return await _after_touchpoint(tx, campaign, recipient_id)


async def _next_wave(
    tx: ReadTx | Tx, campaign: AskingCampaign, recipient_id: UUID, *, now: datetime
) -> Wait | Skip | None:
    """Of somebody who has nothing more to expect of the latest wave."""
    if await find_wave(tx, campaign, now=now) is not None:
        return None
    if await is_to_be_taken_in(tx, campaign, recipient_id, now=now):
        return None
    coming = await find_next_wave(tx, campaign, now=now)
    return Skip(Reason.NOT_IN_WAVE) if coming is None else Wait(coming.starts_at, Reason.NOT_IN_WAVE)


async def _after_answer(tx: ReadTx | Tx, campaign: AskingCampaign, recipient_id: UUID, *, now: datetime) -> Wait | None:
    asking, rhythm = campaign.asking, campaign.asking.trigger
    assert isinstance(rhythm, AfterAnswer)
    for _, due_at, _ in await read_turns_after_answers(tx, campaign, [recipient_id]):
        if due_at > now:
            return Wait(due_at, Reason.NOT_DUE)
    if asking.sample is None and asking.most_per_account is None:
        return None
    if recipient_id in {person for person, _ in await find_after_answers(tx, campaign, now=now)}:
        return None
    rounds = (now - campaign.anchor).days // rhythm.days + 1
    return Wait(campaign.anchor + timedelta(days=rounds * rhythm.days), Reason.NOT_SAMPLED)


async def _on_date(
    tx: ReadTx | Tx, campaign: AskingCampaign, recipient_id: UUID, *, zone: ZoneInfo, now: datetime
) -> Wait | Skip | None:
    trigger = campaign.asking.trigger
    assert isinstance(trigger, OnDate)
    (person,) = await fetch(tx, _READ_PROPERTIES, campaign.workspace_id, recipient_id)
    day = date_in(json.loads(person["properties"]), trigger)
    if day is None:
        return Skip(Reason.NO_TURN)
    made = await fetch(
        tx, _READ_SLOT, campaign.workspace_id, recipient_id, campaign.id, date_slot(trigger, day)
    )  # fmt: skip
    if made and (over := _why_not_again(made[0])) is not None:
        return over
    due_at = due_on_date(trigger, day, zone=zone, window=campaign.asking.window)
    if now >= latest_for_date(trigger, due_at, zone=zone):
        return Skip(Reason.TOO_LATE)
    if not is_drawn(campaign.asking.sample, seed=f"sample:{campaign.id}:{day}", about=recipient_id):
        return Skip(Reason.NOT_SAMPLED)
    return Wait(due_at, Reason.NOT_DUE) if due_at > now else None


async def _after_touchpoint(tx: ReadTx | Tx, campaign: AskingCampaign, recipient_id: UUID) -> Skip:
    """Of those there were none is still to be asked about."""
    trigger = campaign.asking.trigger
    assert isinstance(trigger, AfterTouchpoint)
    place = campaign.workspace_id, recipient_id, campaign.id
    for latest in await fetch(tx, _READ_TOUCHPOINT, *place, trigger.name):
        if latest["state"] == "skipped":
            return Skip(Reason(latest["skip_reason"]))
        if latest["state"] is None and not is_drawn(
            campaign.asking.sample, seed=f"sample:{campaign.id}", about=latest["id"]
        ):
            return Skip(Reason.NOT_SAMPLED)
    return Skip(Reason.NO_TURN)


def _why_not_again(invitation: Mapping[str, Any]) -> Skip | None:
    """None where it is planned again as soon as somebody looks."""
    if invitation["state"] in {"planned", "released"}:
        return None
    if invitation["state"] != "skipped":
        return Skip(Reason.NO_TURN)
    reason = Reason(invitation["skip_reason"])
    return None if reason in PASSING else Skip(reason)


_READ_PROPERTIES = "SELECT properties::text AS properties FROM recipients WHERE workspace_id = $1 AND id = $2"
_READ_SLOT = """
    SELECT state, skip_reason FROM invitations
    WHERE workspace_id = $1 AND recipient_id = $2 AND campaign_id = $3 AND slot = $4
"""
_READ_TOUCHPOINT = """
    SELECT t.id, v.state, v.skip_reason
    FROM touchpoints t
    LEFT JOIN invitations v ON v.workspace_id = t.workspace_id AND v.touchpoint_id = t.id AND v.campaign_id = $3
    WHERE t.workspace_id = $1 AND t.recipient_id = $2 AND t.name = $4
    ORDER BY t.occurred_at DESC LIMIT 1
"""
