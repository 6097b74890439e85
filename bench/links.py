"""Answers through personal links, of which there are few or many: each size in a database of its own."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack
from itertools import islice
from random import Random
from time import perf_counter
from urllib.parse import urlsplit

import asyncpg

from app.domain import ids
from bench import requests
from bench.asking import fill_with_people
from bench.client import Client, connected
from bench.figures import Figures, Findings, Spread
from bench.rounds import Contestant, Plan, Watch, take_turns
from bench.stage import Stage
from bench.tenant import person_id

CONNECTIONS = 16
AT_ONCE = 500  # links that one request makes
CAMPAIGN = {
    "name": "Everybody", "kind": "relationship", "template": {"key": "nps_relationship", "languages": ["en"]},
    "asking": {"trigger": {"kind": "once"}, "quarantine_days": 0},
}  # fmt: skip
SENT = {"score": "9", "sign": "gesture", "lang": "en", "comment": requests.COMMENT}


async def measure_links(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    contestants: dict[str, Contestant] = {}
    small, large = min(plan.wave_sizes), max(plan.wave_sizes)
    each = small // (plan.rounds + 1)  # so that nobody answers twice, and some have answered before
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(stage.database(f"bench_links_{size}")) for size in (small, large)]
        for url, size in zip(urls, (small, large), strict=True):
            say(f"making {size:,} links")
            await fill_with_people(url, stage.tenant.workspace_id, size)
            api = await stack.enter_async_context(stage.api(url))
            async with connected(api.port) as client:
                paths = await personal_links(client, stage.tenant.token, size)
            Random(size).shuffle(paths)  # people who answer come from everywhere in the table
            watch = Watch(api=api.cpu_seconds, postgres=stage.postgres_cpu_seconds)
            contestants[f"{size} links"] = run = _answering(iter(paths), each, api.port, watch)
            await run(0)
            await _know_sizes(url)
        rounds = await take_turns(contestants, plan, say, warm_up=False)
        for url in urls:
            await _check(url, each * (plan.rounds + 1))
    few, many = rounds[f"{small} links"], rounds[f"{large} links"]
    found = {
        "link_growth": Spread.of(a.per_second / b.per_second for a, b in zip(few, many, strict=True)),
        "links_per_second": Spread.of(one.per_second for one in many),
    }
    return Findings({row: found[row] for row in rows}, rounds)


async def personal_links(client: Client, token: str, count: int) -> list[str]:
    """Paths of survey pages, one for each of as many people."""
    campaign = await client.send(requests.post("/v1/campaigns", CAMPAIGN, token))
    await client.send(requests.post(f"/v1/campaigns/{campaign['id']}/launch", {}, token))
    people = (ids.shown("recipient", person_id(number)) for number in range(1, count + 1))
    paths: list[str] = []
    while some := list(islice(people, AT_ONCE)):
        made = await client.send(requests.post(f"/v1/campaigns/{campaign['id']}/links", {"recipient_ids": some}, token))
        paths += [urlsplit(link["survey_url"]).path for link in made["links"]]
    return paths


def _answering(paths: Iterator[str], each: int, port: int, watch: Watch) -> Contestant:
    async def run(_: float) -> Figures:
        """As browsers without a script do: what they send is the whole form."""
        forms = iter([requests.form(path, SENT) for path in islice(paths, each)])
        watch.start()
        started_at = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CONNECTIONS):
                tasks.create_task(_send(forms, port))
        return Figures(each / (perf_counter() - started_at), cpu_us=watch.cpu_us(each))

    return run


async def _send(forms: Iterator[bytes], port: int) -> None:
    async with connected(port) as client:
        for form in forms:
            client.writer.write(form)
            await client.body_of("3")  # shown the way to the thanks


async def _know_sizes(url: str) -> None:
    """As PostgreSQL does of itself, a minute after the first answers have come."""
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _check(url: str, answers: int) -> None:
    connection = await asyncpg.connect(url)
    counted = await connection.fetchval(
        "SELECT count(*) FROM responses WHERE counted_on IS NOT NULL AND invitation_id IS NOT NULL"
    )
    await connection.close()
    if counted != answers:
        raise RuntimeError(f"of {answers:,} answers {counted:,} count")
