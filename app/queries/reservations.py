"""Whom a more important campaign is to ask soon, though its round is not planned yet; what is planned, invitations say.

It takes nobody whom it could not ask by then: who is still in its quarantine when its wave is over is free for others.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.eligibility import SOON
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import AfterAnswer, Every, Once, due_in, next_wave
from app.domain.audience.sampling import sampled
from app.queries.asking_campaigns import read_asking_campaigns
from app.queries.turns import ends_at, find_wave, read_turns_after_answers, select_for, who_may_be_asked

UNPLANNED = timedelta(minutes=61)  # whose turn has come has an invitation by then; planners look every hour

LastAsked = Mapping[UUID, datetime | None]  # when each person was, by whichever campaign


@dataclass(frozen=True, slots=True)
class ComingAsk:
    """Of a person by the more important campaign, as its round will have it."""

    person: UUID
    at: datetime
    latest_at: datetime | None = None


async def read_reservations(
    tx: ReadTx | Tx, campaign: AskingCampaign, asked: LastAsked, *, now: datetime
) -> dict[UUID, datetime]:
    """When the first of those campaigns is to ask each of them."""
    reserved: dict[UUID, datetime] = {}
    for other in await _more_important(tx, campaign, now=now) if asked else ():
        for coming in await _coming_asks(tx, other, list(asked), now=now):
            at = _free_at(coming, other, asked[coming.person], now=now)
            if at is not None:
                reserved[coming.person] = min(at, reserved.get(coming.person, at))
    return reserved


async def _more_important(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> list[AskingCampaign]:
    """Those of the same journey do not get in each other's way."""
    rows = await fetch(tx, _MORE_IMPORTANT, campaign.workspace_id, campaign.id, campaign.asking.priority, now + SOON)
    ids = [row["id"] for row in rows]
    others = await read_asking_campaigns(tx, [campaign.workspace_id] * len(ids), ids) if ids else []
    return [one for one in others if not _share_a_journey(one, campaign)]


def _share_a_journey(one: AskingCampaign, other: AskingCampaign) -> bool:
    journeys = one.asking.journey, other.asking.journey
    return None not in journeys and len({journey.name for journey in journeys if journey}) == 1


async def _coming_asks(tx: ReadTx | Tx, other: AskingCampaign, people: list[UUID], *, now: datetime) -> list[ComingAsk]:
    match other.asking.trigger:
        case Once() | Every():
            return await _asks_of_wave(tx, other, people, now=now)
        case AfterAnswer():
            meant = await who_may_be_asked(tx, other, people, now=now)
            found = await read_turns_after_answers(tx, other, list(meant))
            return [
                ComingAsk(person, due_at, other.ends_at)
                for person, due_at, _ in found
                if now - UNPLANNED < due_at <= now + SOON
            ]
    return []


async def _asks_of_wave(
    tx: ReadTx | Tx, other: AskingCampaign, people: list[UUID], *, now: datetime
) -> list[ComingAsk]:
    trigger = other.asking.trigger
    assert isinstance(trigger, Once | Every)
    wave = await find_wave(tx, other, now=now)  # it has come, and nobody has planned it yet
    if wave is None or wave.starts_at <= now - UNPLANNED:
        wave = next_wave(trigger, now, anchor=other.anchor, zone=other.zone)
    if wave is None or wave.starts_at > now + SOON:
        return []
    latest_at, meant = other.in_time(ends_at(other, wave, now)), await _meant(tx, other, people, now=now)
    if other.asking.is_evenly_spread:
        own = ((person, due_in(wave, seed=f"evenly:{other.id}", person=person)) for person in meant)
        return [ComingAsk(person, at, latest_at) for person, at in own]
    return [ComingAsk(person, wave.starts_at, latest_at) for person in meant]


async def _meant(tx: ReadTx | Tx, other: AskingCampaign, people: list[UUID], *, now: datetime) -> Collection[UUID]:
    """Where only some of an audience are asked, all of it is looked at to know whom."""
    if other.asking.sample is None and other.asking.most_per_account is None:
        return await who_may_be_asked(tx, other, people, now=now)
    return set(people) & set(sampled(await select_for(tx, other, now=now), other.asking.sample))


def _free_at(coming: ComingAsk, other: AskingCampaign, asked_at: datetime | None, *, now: datetime) -> datetime | None:
    """When it can ask them; None where it never can, or not soon, or where being asked before does not matter to it."""
    quarantine = other.asking.quarantine(other.quarantine_days)
    at = coming.at if asked_at is None else max(coming.at, asked_at + quarantine)
    is_in_time = coming.latest_at is None or at < coming.latest_at
    return at if is_in_time and at <= now + SOON and at < now + quarantine else None


_MORE_IMPORTANT = """
    SELECT id FROM campaigns
    WHERE workspace_id = $1 AND id <> $2 AND state IN ('running', 'scheduled') AND (asking ->> 'priority')::int > $3
        AND asking -> 'trigger' ->> 'kind' IN ('once', 'every', 'after_answer')
        AND (starts_at IS NULL OR starts_at <= $4)
"""
