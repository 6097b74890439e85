"""Recording answers: ours against the naive service, and against PostgreSQL with nothing in front of it."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from app.db.embedded.binaries import find_binaries
from bench import requests
from bench.figures import Figures, Findings, ratio
from bench.load import put_load
from bench.pgbench import run_pgbench, script
from bench.processes import Program
from bench.rounds import Contestant, Plan, Watch, take_turns
from bench.stage import Stage

RATIOS = {
    "record_vs_naive": ("ours 64", "naive 64"),
    "record_vs_pgbench_64": ("ours 64", "pgbench 64"),
    "record_vs_pgbench_150": ("ours 150", "pgbench 150"),
    "bulk_vs_pgbench": ("ours bulk 8", "pgbench 64"),
}
ORDER = ("naive 64", "ours 64", "pgbench 64", "ours bulk 8", "ours 150", "pgbench 150")
BULK_SIZE = 500
OURS, NAIVE, RIVAL = "bench_ours", "bench_naive", "bench_pgbench"


async def measure_recording(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    wanted = {name for row in rows for name in RATIOS[row]}
    async with AsyncExitStack() as stack:
        meet = _Meet(stage, stack, {name: await stack.enter_async_context(stage.database(name)) for name in DATABASES})
        contestants = {name: await meet.contestant(name) for name in ORDER if name in wanted}
        rounds = await take_turns(contestants, plan, say)
        await meet.check()
    return Findings({row: ratio(rounds, *RATIOS[row]) for row in rows}, rounds)


DATABASES = (OURS, NAIVE, RIVAL)


class _Meet:
    """Each kind of contestant has a database of its own; ours share one process."""

    def __init__(self, stage: Stage, stack: AsyncExitStack, urls: Mapping[str, str]) -> None:
        self.stage, self.stack, self.urls = stage, stack, urls
        self.programs: dict[str, Program] = {}
        self.acknowledged = dict.fromkeys(urls, 0)

    async def contestant(self, name: str) -> Contestant:
        kind, *rest = name.split()
        connections = int(rest[-1])
        if kind == "pgbench":
            return self._pgbench(connections)
        return await self._http(OURS if kind == "ours" else NAIVE, connections, is_bulk="bulk" in rest)

    async def _program(self, database: str) -> Program:
        if database not in self.programs:
            url = self.urls[database]
            start = self.stage.api(url) if database == OURS else self.stage.beside("bench.naive", url)
            self.programs[database] = await self.stack.enter_async_context(start)
        return self.programs[database]

    async def _http(self, database: str, connections: int, *, is_bulk: bool) -> Contestant:
        program, each = await self._program(database), BULK_SIZE if is_bulk else 1
        file = self._requests(is_bulk=is_bulk)
        longer = 2 if database == NAIVE else 1  # its first replies take a while, and should not weigh on its rate

        async def run(seconds: float) -> Figures:
            watch = Watch(api=program.cpu_seconds, postgres=self.stage.postgres_cpu_seconds)
            load = await put_load(file, port=program.port, connections=connections, seconds=longer * seconds)
            self.acknowledged[database] += load.requests * each
            return watch.figures(load, each=each)

        return run

    def _pgbench(self, clients: int) -> Contestant:
        file = self.stage.directory / "pgbench.sql"
        major = find_binaries(None, data_major=None).major
        file.write_text(script(self.stage.tenant.workspace_id, major=major))

        async def run(seconds: float) -> Figures:
            watch = Watch(postgres=self.stage.postgres_cpu_seconds)
            return await run_pgbench(self.urls[RIVAL], file, clients=clients, seconds=seconds, watch=watch)

        return run

    def _requests(self, *, is_bulk: bool) -> Path:
        token = self.stage.tenant.token
        file = self.stage.directory / ("bulk.requests" if is_bulk else "single.requests")
        return requests.write(file, requests.in_bulk(token, size=BULK_SIZE) if is_bulk else requests.one_by_one(token))

    async def check(self) -> None:
        """Nobody wins by leaving work out: everything acknowledged is there, with its event, and counted."""
        for database, acknowledged in self.acknowledged.items():
            connection = await asyncpg.connect(self.urls[database])
            stored = await connection.fetchrow(_STORED)
            await connection.close()
            answers, events, queued, counted = stored
            if not answers == events == queued == counted or answers < acknowledged:
                raise RuntimeError(f"{database}: {acknowledged} were acknowledged, but there are {dict(stored)}")


_STORED = """
    SELECT (SELECT count(*) FROM responses) AS answers, (SELECT count(*) FROM events) AS events,
        (SELECT count(*) FROM event_queue) AS queued,
        (SELECT coalesce(sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10), 0) FROM score_rollups) AS counted
"""
