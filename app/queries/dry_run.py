"""What planning a campaign now would come to, by the same selection, schedule and decision, and writing nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.domain.asking.date_slots import SPAN
from app.domain.asking.eligibility import Reason, Skip, decide
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.plan import Plan
from app.domain.asking.rhythm import AfterAnswer, Every, Once, Wave, next_wave, wave_at
from app.domain.asking.scheduling import Turn, schedule
from app.domain.asking.send_pace import days_needed
from app.domain.asking.triggers import OnDate
from app.domain.audience.audience_selection import Selection
from app.domain.audience.sampling import sample_of, sampled
from app.domain.mail.campaign_sender import LARGE_WAVE, SendingWarning
from app.queries.best_hours import best_hour_of
from app.queries.eligibility import Facts, read_facts
from app.queries.sender_domains import warnings_for
from app.queries.turns import ends_at, find_after_answers, find_dates, select_for

MOST_LOOKED_AT = 50_000
READ_AT_ONCE, IN_ONE_GO = 5_000, 200  # people

Turns = Sequence[tuple[UUID, Wave | None, date | None]]


async def dry_run(tx: ReadTx | Tx, campaign: AskingCampaign, *, most: int = MOST_LOOKED_AT, now: datetime) -> Plan:
    """As if it ran and its next round came now. What will happen to people, and so touchpoints, is not foreseen.

    Of more than `most` people, only so many are decided about one by one.
    """
    running = replace(campaign, state="running")
    selection = await select_for(tx, running, limit=most, now=now)
    turns = await _turns(tx, running, selection, now=now)
    selected = sample_of(selection.askable, running.asking.sample) if _is_in_waves(running) else len(turns)
    plan = Plan(
        matched=selection.matched,
        selected=selected,
        left_out=max(0, selection.askable - selected) if _is_in_waves(running) else 0,
        excluded={reason.value: count for reason, count in selection.excluded.items()},
        is_complete=selected <= most,
    )
    await _decide(tx, running, turns[:most], plan, now=now)
    plan.warnings = await warnings_for(tx, running, mails=selected)
    warm_up = running.asking.pace.warm_up
    if warm_up is not None:
        plan.days_of_warm_up = days_needed(plan.due, warm_up)
    return plan


async def warnings_before(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Sequence[SendingWarning]:
    """Those of the plan, without its people one by one."""
    if not await warnings_for(tx, campaign, mails=LARGE_WAVE + 1):
        return ()
    running = replace(campaign, state="running")
    turns = await _turns(tx, running, await select_for(tx, running, now=now), now=now)
    return await warnings_for(tx, campaign, mails=len(turns))


def _is_in_waves(campaign: AskingCampaign) -> bool:
    return isinstance(campaign.asking.trigger, Once | Every)


async def _turns(tx: ReadTx | Tx, campaign: AskingCampaign, selection: Selection, *, now: datetime) -> Turns:
    match campaign.asking.trigger:
        case Once() | Every():
            wave = _wave_from_now(campaign, now)
            return [(person, wave, None) for person in sampled(selection, campaign.asking.sample)]
        case AfterAnswer():
            found = await find_after_answers(tx, campaign, now=now)
            return [(person, None, None) for person, _ in found]
        case OnDate():
            found = await find_dates(tx, campaign, now=now)
            return [(person, None, date.fromisoformat(slot[-SPAN:])) for person, slot in found]
        case _:
            return []


def _wave_from_now(campaign: AskingCampaign, now: datetime) -> Wave:
    """The one that is open or coming; of one that has begun, what is left."""
    trigger = campaign.asking.trigger
    assert isinstance(trigger, Once | Every)
    anchor, zone = campaign.anchor, campaign.zone
    wave = wave_at(trigger, now, anchor=anchor, zone=zone) or next_wave(trigger, now, anchor=anchor, zone=zone)
    assert wave is not None
    return replace(wave, ends_at=ends_at(campaign, wave, now))


async def _decide(tx: ReadTx | Tx, campaign: AskingCampaign, turns: Turns, plan: Plan, *, now: datetime) -> None:
    best = await best_hour_of(tx, campaign) if campaign.asking.window.wants_best_hour else None
    for begin in range(0, len(turns), READ_AT_ONCE):
        some = turns[begin : begin + READ_AT_ONCE]
        facts = await read_facts(tx, campaign, [person for person, _, _ in some], now=now)
        for place, (person, wave, day) in enumerate(some):
            if place % IN_ONE_GO == 0:
                await asyncio.sleep(0)  # or whoever else asks this process would wait for all of them
            turn = Turn(campaign.id, person, facts.people[person].zone, wave, None, day)
            _add(plan, campaign, facts, turn, best, now)


def _add(plan: Plan, campaign: AskingCampaign, facts: Facts, turn: Turn, best: int | None, now: datetime) -> None:
    slot = schedule(campaign.asking, turn, best=best, now=now)
    if slot.due_at is None:
        plan.add(Skip(Reason.WINDOW), due_at=now, zone=campaign.zone)
        return
    wanted = replace(facts.wanted[turn.person], latest_at=slot.latest_at, planned_at=now)
    decision = decide(facts.people[turn.person], wanted, facts.rules[turn.person], slot.due_at)
    plan.add(decision, due_at=slot.due_at, zone=campaign.zone)
