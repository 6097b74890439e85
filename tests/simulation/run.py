"""The clock of the simulation: from one moment at which something is due to the next, with a stop of all workers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from app.db.engine import Engine
from app.operations.invitations import candidates
from tests.simulation.campaigns import START
from tests.simulation.workers import Mail, Postbox, Worker
from tests.simulation.world import World

WORKERS = 3
PEOPLE_PER_MAIL_IN_FLIGHT = 25  # larger crowds are served in larger batches,
DEADLINESS = 0.2  # and a worker dies in as many of those: this is shared out over the mails of one
SHARED_OUT = 2  # campaigns that a worker takes at once; many more would be needed for them to race otherwise
SAID_EVERY = 500  # moments
TICKS = [timedelta(minutes=minutes) for minutes in (10, 60, 120, 240, 360)]
LONGEST_TICK = timedelta(hours=6)
STOPPED_FROM, STOPPED_FOR = timedelta(days=29, hours=3), timedelta(days=6)  # a wave begins meanwhile


@dataclass(frozen=True)
class Record:
    """What was, and how it stands at the end."""

    world: World
    mails: list[Mail]
    invitations: list[Mapping[str, Any]]
    touchpoints: list[Mapping[str, Any]]
    waves: list[Mapping[str, Any]]
    ended_at: datetime
    kills: int
    ticks: int
    most_unknown: int  # that dying and stalling may have left, beside what ended so by itself


async def simulate(
    engine: Engine,
    *,
    people: int,
    days: int,
    seed: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Record:
    world = World(engine, people=people, days=days, seed=seed)
    await world.begin()
    postbox, chance = Postbox(world, seed=seed), Random(f"clock:{seed}")
    at_once = max(1, people // PEOPLE_PER_MAIL_IN_FLIGHT)
    workers = [
        Worker(world, postbox, at_once=at_once, deadliness=DEADLINESS / at_once, seed=f"worker:{seed}:{n}")
        for n in range(WORKERS)
    ]
    with patch.object(candidates, "CAMPAIGNS_AT_ONCE", SHARED_OUT):
        now, ticks = await _run(world, workers, chance, lambda now: say(_standing(now, postbox, workers)))
    kills, stalls = sum(worker.kills for worker in workers), sum(worker.stalls for worker in workers)
    return Record(
        world, postbox.mails, await world.rows(_INVITATIONS), await world.rows(_TOUCHPOINTS),
        await world.rows(_WAVES), now, kills, ticks, (kills + stalls) * at_once,
    )  # fmt: skip


async def _run(
    world: World, workers: Sequence[Worker], chance: Random, say: Callable[[datetime], None]
) -> tuple[datetime, int]:
    """(when it ended, after how many moments)"""
    now = due_at = START
    ticks = 0
    while now < world.ends_at:
        working = [] if is_stopped(now) else workers if due_at <= now else [chance.choice(workers)]
        await asyncio.gather(world.goes_on(now), *(worker.works(now) for worker in working))
        due_at, ticks = await _next_due(world), ticks + 1
        if ticks % SAID_EVERY == 0:
            say(now)
        now = max(now + chance.choice(TICKS), min(due_at, now + LONGEST_TICK))
    for worker in workers:  # whoever died last leaves something to the others
        worker.gets_well()
        await worker.works(now)
    return now, ticks


def _standing(now: datetime, postbox: Postbox, workers: Sequence[Worker]) -> str:
    return f"{now:%d %b %Y}: {len(postbox.mails)} mails, {sum(worker.kills for worker in workers)} kills"


def is_stopped(now: datetime) -> bool:
    return START + STOPPED_FROM <= now < START + STOPPED_FROM + STOPPED_FOR


async def _next_due(world: World) -> datetime:
    (due,) = await world.rows(_NEXT_DUE)
    return min(world.next_at(), due["at"] or world.ends_at)


_NEXT_DUE = """
    SELECT least(
        (SELECT min(due_at) FROM sending_work WHERE workspace_id = :workspace_id),
        (SELECT min(plan_due_at) FROM campaigns WHERE workspace_id = :workspace_id AND state = 'running'),
        (SELECT min(claimed_until) FROM invitations WHERE workspace_id = :workspace_id AND claim_id IS NOT NULL)
    ) AS at
"""
_INVITATIONS = """
    SELECT id, v.campaign_id, recipient_id, touchpoint_id, wave, slot, state, skip_reason, claim_id, v.due_at, asked_at,
        s.due_at AS looked_at_next
    FROM invitations v LEFT JOIN sending_work s USING (workspace_id, campaign_id)
    WHERE v.workspace_id = :workspace_id
"""
_TOUCHPOINTS = "SELECT * FROM touchpoints WHERE workspace_id = :workspace_id AND name = 'order_delivered'"
_WAVES = "SELECT * FROM waves WHERE workspace_id = :workspace_id"
