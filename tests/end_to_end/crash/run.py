"""The story: load on, kill, let it become quiet, compare."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from time import monotonic
from typing import Any

import aiohttp

from tests.end_to_end.crash.arrivals import Arrivals, first_after, longest_wait, read_arrivals
from tests.end_to_end.crash.audit import Findings, audit, is_quiet
from tests.end_to_end.crash.clients import Client, World
from tests.end_to_end.crash.insisting import Caller
from tests.end_to_end.crash.killing import PAUSE_BETWEEN_SECONDS, Killer
from tests.end_to_end.crash.ledger import Ledger
from tests.end_to_end.crash.programs import running
from tests.end_to_end.crash.stage import HASTE, LATER_SECONDS, Stage, resident_megabytes, set_up

CLIENTS = 16
PAUSE_SECONDS = 0.04  # of a client between two acts, on average: about 300 answers a second in all
PEOPLE = 100
# What hangs is tried again after a minute (see receiver.py): in a long run nothing hangs in the last minute, in a short
# one only at the beginning.
LEAST_HANGING_SECONDS, TRIED_AGAIN_SECONDS = 3.0, 60.0
QUIET_SECONDS = 420.0  # the third attempt at an event comes after five minutes
NEEDLESS_SHARE = 0.01  # of the webhooks: a busy machine may let a lease run out
LAST_WORDS_SECONDS = 3.0  # of load after the last kill, so that its recovery can be seen
UNLIMITED: Mapping[str, object] = {"PUBLIC_RATE_LIMIT_PER_SECOND": 0}


@dataclass(frozen=True, slots=True)
class Plan:
    kills: int
    seconds: float  # for killing, at most
    seed: int

    @property
    def hanging_seconds(self) -> float:
        loaded_seconds = min(self.seconds, self.kills * sum(PAUSE_BETWEEN_SECONDS) / 2)
        return max(LEAST_HANGING_SECONDS, loaded_seconds - TRIED_AGAIN_SECONDS)


@dataclass(slots=True)
class Outcome:
    kills: Mapping[str, int]
    ledger: Ledger
    arrivals: Arrivals
    findings: Findings
    slowest_recovery_seconds: float
    needless: int  # webhooks that came again for no reason
    api_megabytes: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return self.findings.is_clean and not self.ledger.troubles and not self.is_pestering

    @property
    def is_pestering(self) -> bool:
        """A lease that nobody respects loses nothing, and drives receivers mad."""
        return self.needless > NEEDLESS_SHARE * len(self.arrivals.times)

    def line(self) -> str:
        found = self.findings
        return (
            f"kills={sum(self.kills.values())} acked={self.ledger.acked} lost={found.lost} doubled={found.doubled} "
            f"changed_id={found.changed_id} slowest_recovery_s={self.slowest_recovery_seconds:.1f}"
        )


async def crash(plan: Plan, *, say: Callable[[str], None]) -> Outcome:
    chance, ledger = Random(plan.seed), Ledger()
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(set_up({**HASTE, **UNLIMITED}))
        await stage.add_endpoint("now")
        await stage.add_endpoint("later", delay_seconds=LATER_SECONDS, event_types=["response.created"])
        receiver = stage.receiver(seed=plan.seed, hanging_seconds=plan.hanging_seconds)
        await stack.enter_async_context(running(receiver))
        session = await stack.enter_async_context(stage.session())
        world = await make_world(stage, session)
        killer = Killer(stage, chance)
        megabytes = await _load_and_kill(plan, stage, world, Caller(session, ledger), killer, say)
        say(f"{killer.kills.total()} kills; waiting until everything is delivered")
        await _until_quiet(stage)
        arrivals = read_arrivals(stage.arrivals)
        engine = stage.engine()
        findings = await audit(engine, stage.workspace_id, ledger, arrivals)
        await engine.close()
        slowest = _slowest_recovery(stage, ledger, arrivals)
        needless = arrivals.needless(sorted(stage.worker.kills + stage.postgres.kills))
        return Outcome(killer.kills, ledger, arrivals, findings, slowest, needless, megabytes)


async def make_world(stage: Stage, session: aiohttp.ClientSession, *, people: int = PEOPLE) -> World:
    async def post(path: str, body: Any = None) -> Mapping[str, Any]:
        async with session.post(path, json=body) as reply:
            assert reply.status in {200, 201}, await reply.text()
            made: Mapping[str, Any] = await reply.json()
            return made

    survey = {"default_language": "en", "languages": ["en"], "question": {"en": "How likely are you to recommend us?"}}
    campaign_ids = []
    for once in (False, True):
        campaign = {"name": "Orders", "kind": "transactional", "one_answer_per_recipient": once, "survey": survey}
        campaign_ids.append((await post("/v1/campaigns", campaign))["id"])
        await post(f"/v1/campaigns/{campaign_ids[-1]}/launch")
    recipient_ids = [(await post("/v1/recipients", {"external_id": f"person-{n}"}))["id"] for n in range(people)]
    return World(campaign_ids[0], campaign_ids[1], recipient_ids, stage.publishable_key)


async def _load_and_kill(
    plan: Plan, stage: Stage, world: World, caller: Caller, killer: Killer, say: Callable[[str], None]
) -> list[float]:
    """What the API's memory was, in megabytes, second by second."""
    stop, megabytes = asyncio.Event(), list[float]()
    clients = [
        Client(number, world, caller, Random(plan.seed * 1_000 + number), PAUSE_SECONDS) for number in range(CLIENTS)
    ]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.work(stop))
        watching = tasks.create_task(_watch(stage, caller.ledger, killer, megabytes, say))
        await killer.kill(plan.kills, until=monotonic() + plan.seconds)
        for one in (stage.postgres, stage.api, stage.worker):
            await one.until_up()
        await asyncio.sleep(LAST_WORDS_SECONDS)
        stop.set()
        watching.cancel()
    return megabytes


async def _watch(
    stage: Stage, ledger: Ledger, killer: Killer, megabytes: list[float], say: Callable[[str], None]
) -> None:
    for second in count():
        with suppress(FileNotFoundError, ProcessLookupError):
            if stage.api.is_up.is_set():
                megabytes.append(resident_megabytes(stage.api.pid))
        if second % 10 == 0:
            troubles = f", {ledger.troubles.total()} TROUBLES" if ledger.troubles else ""
            say(f"{second:>5} s  {killer.kills.total()} kills, {ledger.acked} answers acknowledged{troubles}")
        await asyncio.sleep(1)


async def _until_quiet(stage: Stage) -> None:
    engine = stage.engine()
    with suppress(TimeoutError):  # what still waits then is found by the audit
        async with asyncio.timeout(QUIET_SECONDS):
            while not await is_quiet(engine):  # noqa: ASYNC110 - the queues are in PostgreSQL, which rings no bell here
                await asyncio.sleep(0.2)
    await engine.close()


def _slowest_recovery(stage: Stage, ledger: Ledger, arrivals: Arrivals) -> float:
    """The longest that anything had to wait although everything it needs was up again.

    Restarts of the API and of PostgreSQL: until an answer is acknowledged. Acknowledged answers: until their event
    arrives. Either counts from the last restart before it came to pass.
    """
    acks = sorted(ledger.ack_times)
    answering, delivering = (sorted(stage.postgres.ups[1:] + one.ups[1:]) for one in (stage.api, stage.worker))
    waits = [
        longest_wait(up, acked_at, answering)
        for up in answering
        if (acked_at := first_after(acks, up)) is not None
    ]  # fmt: skip
    arrived = arrivals.created_at("now")
    waits += [
        longest_wait(answer.acked_at, arrived[answer.id], delivering)
        for answer in ledger.answers
        if answer.acked_at is not None and answer.id in arrived
    ]
    return max(waits, default=0.0)
