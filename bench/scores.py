"""Reading a score over few answers and over many: three databases, each with an API process of its own."""

from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from app.domain import ids
from app.operations.rollups import rollup_ctes
from bench import requests
from bench.figures import Figures, Findings, Rounds, Spread
from bench.load import put_load
from bench.rounds import Contestant, Plan, Watch, take_turns
from bench.stage import Stage
from bench.tenant import CHANNELS, campaign_id

CAMPAIGN = ids.shown("campaign", campaign_id(1))
QUERIES = {
    "score_read": f"/v1/scores?campaign_id={CAMPAIGN}",
    "score_read_by_week": f"/v1/scores?campaign_id={CAMPAIGN}&group_by=week",
}
CONNECTIONS = 4
DAYS = 365
AT_ONCE = 200_000  # rows of one INSERT


async def measure_scores(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    contestants: dict[str, Contestant] = {}
    async with AsyncExitStack() as stack:
        for size in plan.score_sizes:
            url = await stack.enter_async_context(stage.database(f"bench_scores_{size}"))
            await _fill(url, stage, size, say)
            api = await stack.enter_async_context(stage.api(url))
            for row in rows:
                file = stage.directory / f"{row}.requests"
                requests.write(file, [requests.get(QUERIES[row], stage.tenant.token)])
                watch = Watch(api=api.cpu_seconds, postgres=stage.postgres_cpu_seconds)
                contestants[f"{row} {size}"] = _reading(file, api.port, watch)
        rounds = await take_turns(contestants, plan, say)
    return Findings({row: _growth(rounds, row) for row in rows}, rounds)


def _reading(file: Path, port: int, watch: Watch) -> Contestant:
    async def run(seconds: float) -> Figures:
        watch.start()
        return watch.figures(await put_load(file, port=port, connections=CONNECTIONS, seconds=seconds))

    return run


def _growth(rounds: Rounds, row: str) -> Spread:
    """The slowest size against the quickest: of their medians, and inside the rounds."""
    by_size = [[1 / one.per_second for one in figures] for name, figures in rounds.items() if name.split()[0] == row]
    middles = [Spread.of(times).middle for times in by_size]
    inside = [max(times) / min(times) for times in zip(*by_size, strict=True)]
    return Spread(max(middles) / min(middles), min(inside), max(inside))


async def _fill(url: str, stage: Stage, size: int, say: Callable[[str], None]) -> None:
    """A year of answers to one campaign: with few or many of them, each day and channel has some."""
    connection = await asyncpg.connect(url)
    workspace_id = stage.tenant.workspace_id
    # only to fill it sooner: no read looks at it
    await connection.execute("ALTER TABLE responses DROP CONSTRAINT IF EXISTS fk_responses_survey_versions")
    for first in range(0, size, AT_ONCE):
        say(f"filling: {first:,} of {size:,} answers")
        last = min(first + AT_ONCE, size) - 1
        await connection.execute(_ANSWERS, workspace_id, campaign_id(1), list(CHANNELS), first, last)
    await connection.execute(_ROLLUPS, workspace_id)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


_ANSWERS = f"""
    INSERT INTO responses (workspace_id, id, campaign_id, survey_version, slot, channel, score, comment, counted_on,
        answered_at, properties)
    SELECT $1, id, $2::uuid, 1, 'response:' || id, ($3::text[])[1 + n / {DAYS} % {len(CHANNELS)}],
        (ARRAY[10, 9, 9, 8, 10, 7, 9, 6, 10, 3, 8, 0, 9, 5])[1 + (random() * 13)::int],
        CASE WHEN n % 5 < 2 THEN 'Delivery was fast, though the invoice came late.' END,
        current_date - n % {DAYS}, now() - make_interval(days => n % {DAYS}), '{{"store": "Berlin"}}'
    FROM (SELECT n, uuid_v7(now()) AS id FROM generate_series($4::int, $5::int) AS n) AS answers
"""
_ROLLUPS = f"""
    WITH changes AS (
        SELECT workspace_id, campaign_id, survey_version, wave, counted_on, channel, score, segments, 1 AS delta
        FROM responses WHERE workspace_id = $1
    ),
    {rollup_ctes("changes")}
    SELECT 1
"""
