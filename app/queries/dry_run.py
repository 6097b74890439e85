"""What planning a campaign now would come to, by the same selection, schedule and decision, and writing nothing."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.domain.asking.date_slots import day_in
from app.domain.asking.departures import Due, expected_departures, hour_of, scaled
from app.domain.asking.eligibility import Skip
from app.domain.asking.foresight import Prospect, foresee
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.plan import Plan, SendingWarning
from app.domain.asking.rare_asks import warnings_about_rhythm
from app.domain.asking.rhythm import AfterAnswer, Every, Once, Wave
from app.domain.asking.scheduling import Turn
from app.domain.asking.send_pace import days_needed
from app.domain.asking.triggers import AfterTouchpoint, OnDate
from app.domain.audience.audience_selection import Selection
from app.domain.audience.sampling import sample_of, sampled
from app.domain.mail.campaign_sender import LARGE_WAVE
from app.queries.best_hours import best_hour_of
from app.queries.departures import read_sent
from app.queries.eligibility import Facts, read_facts_before
from app.queries.open_waves import (
    Latecomers,
    find_latecomers,
    find_open_wave,
    read_planned,
    takes_in_as_they_come,
)
from app.queries.planned_asks import read_planned_asks
from app.queries.second_looks import read_skipped, who_is_asked_after_all
from app.queries.sender_domains import warnings_for
from app.queries.turns import ends_at, find_after_answers, find_dates, find_next_wave, find_wave, select_for

MOST_LOOKED_AT = 50_000
READ_AT_ONCE, IN_ONE_GO = 5_000, 200  # people


@dataclass(frozen=True, slots=True)
class Round:
    """`turns`: of more than were to be looked at, the first of those `selected`; not yet in the zones of people."""

    selection: Selection
    turns: Sequence[Turn]
    selected: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Looks:
    """What is looked at: `takes_in` whether an open wave takes people in, `again` whether at those whom rules skipped,
    of which, as of all, no more than `most`."""

    takes_in: bool
    again: bool
    most: int | None


async def dry_run(
    tx: ReadTx | Tx, campaign: AskingCampaign, *, is_edit: bool = False, most: int = MOST_LOOKED_AT, now: datetime
) -> Plan:
    """As if it ran, a draft as if it were launched now, and from its start on: what is planned and still to be asked,
    or else the next round. What will happen to people, and so touchpoints to come, is not preview. `is_edit`: as if it
    were edited now, which lets the open wave take people in, and has those looked at again whom its rules had skipped.

    Of more than `most` people, only so many are decided about one by one.
    """
    running = campaign.as_if_running(now)
    now = max(now, running.anchor)
    again = is_edit or campaign.state != "running"
    looks = Looks(takes_in=again or takes_in_as_they_come(campaign), again=again, most=most)
    coming = await _round(tx, running, looks, now=now)
    plan = Plan(
        matched=coming.selection.matched,
        selected=coming.selected,
        left_out=coming.left_out,
        excluded={reason.value: count for reason, count in coming.selection.excluded.items()},
        is_complete=coming.selected <= most,
    )
    mails = await _decide(tx, running, coming.turns[:most], plan, now=now)
    plan.warnings = await warnings_for(tx, running, mails=None if _come_one_by_one(running) else coming.selected)
    mails = scaled(mails, 1 if plan.is_complete else coming.selected / most)
    sent = await read_sent(tx, running, now=now)
    departures = await asyncio.to_thread(  # of a hundred thousand and a slow pace it takes a second, or two
        expected_departures, mails, running.asking, zone=running.zone, sent=sent, now=now
    )
    plan.expect(departures, zone=running.zone, now=now)
    warm_up = running.asking.pace.warm_up
    if warm_up is not None:
        plan.days_of_warm_up = days_needed(mails.total(), warm_up)
    plan.warnings = [*warnings_about_rhythm(running.asking, quarantine_days=running.quarantine_days), *plan.warnings]
    return plan


async def warnings_before(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Sequence[SendingWarning]:
    """Those of the plan, without its people one by one."""
    if _come_one_by_one(campaign):
        return await warnings_for(tx, campaign, mails=None)
    if not await warnings_for(tx, campaign, mails=LARGE_WAVE + 1):
        return ()
    running = replace(campaign, state="running")
    coming = await _round(tx, running, Looks(takes_in=True, again=False, most=None), now=now)
    return await warnings_for(tx, campaign, mails=coming.selected)


def _come_one_by_one(campaign: AskingCampaign) -> bool:
    return isinstance(campaign.asking.trigger, AfterTouchpoint)


async def _round(tx: ReadTx | Tx, campaign: AskingCampaign, looks: Looks, *, now: datetime) -> Round:
    if not isinstance(campaign.asking.trigger, Once | Every):
        planned, count = await read_planned_asks(tx, campaign, most=looks.most or 0)
        coming = await _turns_of_their_own(tx, campaign, now=now)
        coming += await _second_chances(tx, campaign, looks, now=now)
        selection = await select_for(tx, campaign, limit=0, now=now)
        return Round(selection, [*planned, *coming], count + len(coming))
    wave = await find_wave(tx, campaign, now=now)
    is_open = None if wave else await find_open_wave(tx, campaign, now=now)
    if is_open is not None:
        return await _rest_of(tx, campaign, is_open, looks, now=now)
    wave = wave or await _next_wave(tx, campaign, now=now)
    selection = await select_for(tx, campaign, limit=looks.most, now=now)
    if wave is None:
        return Round(selection, (), 0)
    turns = _turns_in(campaign, wave, sampled(selection, campaign.asking.sample))
    selected = sample_of(selection.askable, campaign.asking.sample)
    return Round(selection, turns, selected, selection.askable - selected)


async def _rest_of(tx: ReadTx | Tx, campaign: AskingCampaign, wave: Wave, looks: Looks, *, now: datetime) -> Round:
    """Whom it has planned and not asked yet, and who would be taken in, or asked after all."""
    selection = await select_for(tx, campaign, now=now)
    late = Latecomers()
    if looks.takes_in:
        late = await find_latecomers(tx, campaign, wave, selection.recipient_ids)
    planned = await read_planned(tx, campaign, wave)
    turns = [
        replace(turn, planned_at=planned.get(turn.person))
        for turn in _turns_in(campaign, wave, [*planned, *late.recipient_ids])
    ]
    turns += await _second_chances(tx, campaign, looks, now=now)
    return Round(selection, turns, len(turns), late.left_out)


def _turns_in(campaign: AskingCampaign, wave: Wave, people: Sequence[UUID]) -> list[Turn]:
    return [Turn(campaign.id, person, campaign.zone, wave, until=campaign.ends_at) for person in people]


async def _second_chances(tx: ReadTx | Tx, campaign: AskingCampaign, looks: Looks, *, now: datetime) -> list[Turn]:
    if not looks.again or looks.most is None:
        return []
    found: list[Turn] = []
    skipped = await read_skipped(tx, campaign, limit=looks.most, now=now)
    for begin in range(0, len(skipped), READ_AT_ONCE):
        some = skipped[begin : begin + READ_AT_ONCE]
        found += [one.turn for one in await who_is_asked_after_all(tx, campaign, some, now=now)]
    return found


async def _turns_of_their_own(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> list[Turn]:
    match campaign.asking.trigger:
        case AfterAnswer():
            found = await find_after_answers(tx, campaign, now=now)
            return [Turn(campaign.id, person, campaign.zone, until=campaign.ends_at) for person, _ in found]
        case OnDate():
            found = await find_dates(tx, campaign, now=now)
            return [
                Turn(campaign.id, person, campaign.zone, day=day_in(slot), until=campaign.ends_at)
                for person, slot in found
            ]
        case _:
            return []


async def _next_wave(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    wave = await find_next_wave(tx, campaign, now=now)
    return None if wave is None else replace(wave, ends_at=ends_at(campaign, wave, now))


async def _decide(
    tx: ReadTx | Tx, campaign: AskingCampaign, turns: Sequence[Turn], plan: Plan, *, now: datetime
) -> Counter[Due]:
    """Says what would be due."""
    best = await best_hour_of(tx, campaign) if campaign.asking.window.wants_best_hour else None
    mails: Counter[Due] = Counter()
    for begin in range(0, len(turns), READ_AT_ONCE):
        some = turns[begin : begin + READ_AT_ONCE]
        wave = some[0].wave.number if some[0].wave else None  # all are of the same
        facts = await read_facts_before(tx, campaign, [turn.person for turn in some], wave=wave, now=now)
        for place, turn in enumerate(some):
            if place % IN_ONE_GO == 0:
                await asyncio.sleep(0)  # or whoever else asks this process would wait for all of them
            prospect = _foresee(campaign, facts, turn, best, now)
            plan.add(prospect.decision, due_at=prospect.due_at, zone=campaign.zone)
            if not isinstance(prospect.decision, Skip):
                zone, domain = facts.people[turn.person].zone, facts.domains[turn.person]
                mails[Due(hour_of(prospect.due_at), zone, domain, prospect.latest_at)] += 1
    return mails


def _foresee(campaign: AskingCampaign, facts: Facts, turn: Turn, best: int | None, now: datetime) -> Prospect:
    person, rules = facts.people[turn.person], facts.rules[turn.person]
    return foresee(campaign.asking, turn, person, facts.wanted[turn.person], rules, best=best, now=now)
