"""Planning a wave and mailing it: few people and many, each size in a database of its own."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg

from app.config import Settings
from app.db.engine import Engine
from app.domain.campaign import CampaignMove
from app.domain.survey.survey import Survey
from app.operations.campaigns import create_campaign, move_campaign
from app.operations.invitations.plan_campaigns import plan_due_campaign
from app.operations.invitations.schedule import schedule_invitations
from app.workers.batches import in_batches
from app.workers.send_invitations import Postman
from bench.figures import Figures, Findings, Spread
from bench.rounds import Contestant, Plan, take_turns
from bench.stage import Stage
from bench.tenant import PERSON_PREFIX, SECRET_KEYS

START = datetime(2026, 1, 5, 10, tzinfo=UTC)  # a Monday
MAILED = 2_000  # of those that are due, in each round
SURVEY = Survey("en", ("en",), {"en": "How likely are you to recommend us?"})
ASKING = {
    "trigger": {"kind": "once"},
    "audience": {"field": "properties.seats", "gte": 0},
    "window": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "08:00", "until": "20:00"},
    "quarantine_days": 0,
    "variants": [{"key": "a"}, {"key": "b"}],
}


async def measure_asking(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    contestants: dict[str, Contestant] = {}
    planned: dict[int, list[float]] = {size: [] for size in plan.wave_sizes}
    mailed: dict[int, list[float]] = {size: [] for size in plan.wave_sizes}
    async with AsyncExitStack() as stack:
        for size in plan.wave_sizes:
            url = await stack.enter_async_context(stage.database(f"bench_asking_{size}"))
            await fill_with_people(url, stage.tenant.workspace_id, size)
            engine = Engine(url)
            stack.push_async_callback(engine.close)
            house = _House(engine, stage.tenant.workspace_id, size)
            contestants[f"plan {size}"] = house.planning(planned[size])
            contestants[f"mail {size}"] = house.mailing(mailed[size])
        rounds = await take_turns(contestants, plan, say, warm_up=False)
    small, large = min(plan.wave_sizes), max(plan.wave_sizes)
    rate = Spread.of(MAILED / seconds for seconds in mailed[large])
    found = {
        "plan_growth": Spread.of(b / a for a, b in zip(planned[small], planned[large], strict=True)),
        "mail_growth": Spread.of(b / a for a, b in zip(mailed[small], mailed[large], strict=True)),
        "mails_per_second": rate,
    }
    remark = f"plan_growth: {large:,} people are planned in {Spread.of(planned[large]).middle:.1f} s"
    return Findings({row: found[row] for row in rows}, rounds, remarks=[remark])


@dataclass
class _House:
    engine: Engine
    workspace_id: UUID
    people: int
    now: datetime = START

    def planning(self, took: list[float]) -> Contestant:
        async def run(_: float) -> Figures:
            """A campaign of its own in every round; what the last one had left is put away."""
            await self._campaign()
            started_at = perf_counter()
            await in_batches(self.engine, lambda tx: plan_due_campaign(tx, now=self.now))
            await in_batches(self.engine, lambda tx: schedule_invitations(tx, now=self.now))
            took.append(perf_counter() - started_at)
            await self._check("planned", self.people)
            return Figures(self.people / took[-1])

        return run

    def mailing(self, took: list[float]) -> Contestant:
        async def run(_: float) -> Figures:
            settings = Settings(secret_keys=SECRET_KEYS)
            noon = self.now + timedelta(days=3)
            postman = Postman(self.engine, settings, mailer=None, stop=asyncio.Event(), clock=lambda: noon)
            started_at, before = perf_counter(), await self._count("sent")
            while await self._count("sent") - before < MAILED:
                await postman.step()
            took.append(perf_counter() - started_at)
            return Figures(MAILED / took[-1])

        return run

    async def _campaign(self) -> None:
        self.now += timedelta(days=7)
        fields: dict[str, Any] = {
            "name": "Everybody", "kind": "relationship", "metric": "nps", "goal": None,
            "one_answer_per_recipient": False, "is_anonymous": False, "starts_at": None, "ends_at": None,
            "asking": ASKING,
        }  # fmt: skip
        async with self.engine.write() as tx:
            await tx.exec_driver_sql("TRUNCATE captured_mails, messages, invitations, sending_work, waves")
            campaign_id = await create_campaign(tx, self.workspace_id, fields=fields, survey=SURVEY, now=self.now)
            await move_campaign(tx, self.workspace_id, campaign_id, CampaignMove.LAUNCH, now=self.now)

    async def _count(self, state: str) -> int:
        async with self.engine.read() as tx:
            found = await tx.exec_driver_sql("SELECT count(*) FROM invitations WHERE state = $1", (state,))
            return int(found.scalar_one())

    async def _check(self, state: str, count: int) -> None:
        if await self._count(state) != count:
            raise RuntimeError(f"of {count:,} invitations only {await self._count(state):,} are {state}")


async def fill_with_people(url: str, workspace_id: UUID, people: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_PEOPLE, workspace_id, PERSON_PREFIX, people)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


# The template has the first ten thousand already.
_PEOPLE = """
    INSERT INTO recipients (workspace_id, id, external_id, email, name, locale, time_zone, properties)
    SELECT $1, ($2 || lpad(to_hex(n), 12, '0'))::uuid, 'customer-' || n, 'person' || n || '@example.com',
        'Person ' || n, 'en', (ARRAY['Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[n % 3 + 1],
        jsonb_build_object('plan', (ARRAY['free', 'pro', 'team'])[n % 3 + 1], 'country', 'DE', 'seats', n % 40)
    FROM generate_series(1, $3::int) AS n
    ON CONFLICT DO NOTHING
"""
