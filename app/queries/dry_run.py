"""What planning a campaign now would come to, by the same selection, schedule and decision, and writing nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.domain.asking.date_slots import day_in
from app.domain.asking.eligibility import Reason, Skip, decide
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.plan import Plan, SendingWarning
from app.domain.asking.rhythm import AfterAnswer, Every, Once, Wave
from app.domain.asking.scheduling import Turn, schedule
from app.domain.asking.send_pace import days_needed
from app.domain.asking.triggers import OnDate
from app.domain.audience.audience_selection import Selection
from app.domain.audience.sampling import sample_of, sampled
from app.domain.mail.campaign_sender import LARGE_WAVE
from app.queries.best_hours import best_hour_of
from app.queries.eligibility import Facts, read_facts
from app.queries.open_waves import (
    Latecomers,
    find_latecomers,
    find_open_wave,
    read_planned,
    takes_in_as_they_come,
)
from app.queries.sender_domains import warnings_for
from app.queries.turns import ends_at, find_after_answers, find_dates, find_next_wave, find_wave, select_for

MOST_LOOKED_AT = 50_000
READ_AT_ONCE, IN_ONE_GO = 5_000, 200  # people

Turns = Sequence[tuple[UUID, Wave | None, date | None]]


@dataclass(frozen=True, slots=True)
class Round:
    """`turns`: of more than were to be looked at, the first of those `selected`."""

    selection: Selection
    turns: Turns
    selected: int
    left_out: int = 0


async def dry_run(
    tx: ReadTx | Tx, campaign: AskingCampaign, *, is_edit: bool = False, most: int = MOST_LOOKED_AT, now: datetime
) -> Plan:
    """As if it ran: what the open wave has still to ask, or else the next round. What will happen to people, and so
    touchpoints, is not preview. `is_edit`: as if it were edited now, which lets the open wave take people in.

    Of more than `most` people, only so many are decided about one by one.
    """
    running = replace(campaign, state="running")
    takes_in = is_edit or campaign.state != "running" or takes_in_as_they_come(campaign)
    coming = await _round(tx, running, takes_in=takes_in, most=most, now=now)
    plan = Plan(
        matched=coming.selection.matched,
        selected=coming.selected,
        left_out=coming.left_out,
        excluded={reason.value: count for reason, count in coming.selection.excluded.items()},
        is_complete=coming.selected <= most,
    )
    await _decide(tx, running, coming.turns[:most], plan, now=now)
    plan.warnings = await warnings_for(tx, running, mails=coming.selected)
    warm_up = running.asking.pace.warm_up
    if warm_up is not None:
        plan.days_of_warm_up = days_needed(plan.due, warm_up)
    return plan


async def warnings_before(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Sequence[SendingWarning]:
    """Those of the plan, without its people one by one."""
    if not await warnings_for(tx, campaign, mails=LARGE_WAVE + 1):
        return ()
    running = replace(campaign, state="running")
    coming = await _round(tx, running, takes_in=True, most=None, now=now)
    return await warnings_for(tx, campaign, mails=coming.selected)


async def _round(
    tx: ReadTx | Tx, campaign: AskingCampaign, *, takes_in: bool, most: int | None, now: datetime
) -> Round:
    if not isinstance(campaign.asking.trigger, Once | Every):
        turns = await _turns_of_their_own(tx, campaign, now=now)
        return Round(await select_for(tx, campaign, limit=0, now=now), turns, len(turns))
    wave = await find_wave(tx, campaign, now=now)
    is_open = None if wave else await find_open_wave(tx, campaign, now=now)
    if is_open is not None:
        return await _rest_of(tx, campaign, is_open, takes_in=takes_in, now=now)
    wave = wave or await _next_wave(tx, campaign, now=now)
    selection = await select_for(tx, campaign, limit=most, now=now)
    if wave is None:
        return Round(selection, (), 0)
    turns = [(person, wave, None) for person in sampled(selection, campaign.asking.sample)]
    selected = sample_of(selection.askable, campaign.asking.sample)
    return Round(selection, turns, selected, selection.askable - selected)


async def _rest_of(tx: ReadTx | Tx, campaign: AskingCampaign, wave: Wave, *, takes_in: bool, now: datetime) -> Round:
    """Whom it has planned and not asked yet, and who would be taken in."""
    selection = await select_for(tx, campaign, now=now)
    late = Latecomers()
    if takes_in:
        late = await find_latecomers(tx, campaign, wave, selection.recipient_ids)
    people = [*await read_planned(tx, campaign, wave), *late.recipient_ids]
    return Round(selection, [(person, wave, None) for person in people], len(people), late.left_out)


async def _turns_of_their_own(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Turns:
    match campaign.asking.trigger:
        case AfterAnswer():
            found = await find_after_answers(tx, campaign, now=now)
            return [(person, None, None) for person, _ in found]
        case OnDate():
            found = await find_dates(tx, campaign, now=now)
            return [(person, None, day_in(slot)) for person, slot in found]
        case _:
            return []


async def _next_wave(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    wave = await find_next_wave(tx, campaign, now=now)
    return None if wave is None else replace(wave, ends_at=ends_at(campaign, wave, now))


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
    appointment = schedule(campaign.asking, turn, best=best, now=now)
    if appointment.due_at is None:
        plan.add(Skip(Reason.WINDOW), due_at=now, zone=campaign.zone)
        return
    wanted = replace(facts.wanted[turn.person], latest_at=appointment.latest_at, planned_at=now)
    decision = decide(facts.people[turn.person], wanted, facts.rules[turn.person], appointment.due_at)
    plan.add(decision, due_at=appointment.due_at, zone=campaign.zone)
