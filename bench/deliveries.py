"""Delivering webhooks: ours, with all it promises, against a loop that only posts, and against the naive way."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic, perf_counter
from uuid import UUID

import asyncpg

from app.clock import utc_now
from app.domain import ids
from app.domain.webhooks.payload import payload, rendered
from app.domain.webhooks.webhook_secret import read_secret
from app.operations.events import CHANNEL
from app.outbound.webhook import headers_for
from bench import requests
from bench.client import connected, send_all
from bench.figures import Figures, Findings, ratio
from bench.processes import Program
from bench.record import BULK_SIZE
from bench.rounds import Contestant, Plan, Watch, take_turns
from bench.stage import Stage
from bench.tenant import CAMPAIGNS, campaign_id

RATIOS = {"deliver_vs_bare": ("ours", "bare loop"), "deliver_vs_naive": ("ours", "naive")}
OURS, NAIVE = "bench_deliver", "bench_deliver_naive"
PATIENCE_SECONDS = 120.0
Endpoints = Mapping[str, Mapping[str, str]]  # as created, by the id of the campaign they hear of


async def measure_deliveries(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(stage.beside("bench.receiver"))
        url = await stack.enter_async_context(stage.database(OURS))
        say(f"recording {plan.deliveries:,} answers to tell of")
        posts = await _write_posts(stage, url, await _prepare(stage, url, receiver, plan.deliveries))
        naive_url = await stack.enter_async_context(stage.database(NAIVE, template=OURS))
        worker = await stack.enter_async_context(stage.worker(url))
        contestants = {
            "bare loop": _program(stage, receiver, "bench.bare_courier", str(posts)),
            "ours": _ours(stage, url, worker, receiver),
            "naive": _program(stage, receiver, "bench.naive_courier", naive_url, before=_queue_naively),
        }
        rounds = await take_turns(contestants, plan, say)
    return Findings({row: ratio(rounds, *RATIOS[row]) for row in rows}, rounds)


async def _prepare(stage: Stage, url: str, receiver: Program, count: int) -> Endpoints:
    """An endpoint for each campaign: every event is compared with all of them, and goes to one."""
    token = stage.tenant.token
    campaigns = [ids.shown("campaign", campaign_id(number)) for number in range(1, CAMPAIGNS + 1)]
    async with stage.api(url) as api:
        async with connected(api.port) as client:
            wanted = [_endpoint(campaign, receiver.port) for campaign in campaigns]
            made = [await client.send(requests.post("/v1/webhook-endpoints", one, token)) for one in wanted]
        sent = requests.in_bulk(token, size=BULK_SIZE, count=-(-count // BULK_SIZE))
        await send_all(sent, port=api.port, connections=4)
    await _run(url, "DELETE FROM event_queue", "VACUUM ANALYZE")
    return dict(zip(campaigns, made, strict=True))


def _endpoint(campaign: str, port: int) -> Mapping[str, object]:
    return {"url": f"http://127.0.0.1:{port}/hooks/{campaign}", "campaign_ids": [campaign]}


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def _write_posts(stage: Stage, url: str, endpoints: Endpoints) -> Path:
    """URL, headers and body of each, exactly as our worker would send them now."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(_EVENTS)
    await connection.close()
    file = stage.directory / "posts.json"
    file.write_text(json.dumps([_post(row, endpoints, stage.tenant.workspace_id) for row in rows]))
    return file


def _post(event: asyncpg.Record, endpoints: Endpoints, workspace_id: UUID) -> tuple[str, Mapping[str, str], str]:
    endpoint = endpoints[ids.shown("campaign", event["campaign_id"])]
    told = payload(
        event["id"], type=event["type"], occurred_at=event["occurred_at"], schema_version=event["schema_version"],
        livemode=True, workspace_id=workspace_id, data=event["body"],
    )  # fmt: skip
    body, webhook_id = rendered(told), ids.shown("event", event["id"])
    secrets = [read_secret(endpoint["secret"])]
    headers = headers_for(webhook_id, timestamp=int(utc_now().timestamp()), body=body, secrets=secrets)
    return endpoint["url"], headers, body.decode()


async def _queue_naively(url: str) -> None:
    await _run(url, "TRUNCATE deliveries", _QUEUE_NAIVELY)


async def _nothing(_: str) -> None:
    return None


_EVENTS = """
    SELECT id, type, occurred_at, schema_version, campaign_id, body::text AS body FROM events
    WHERE type = 'response.created'
"""
_QUEUE_NAIVELY = """
    INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at)
    SELECT e.workspace_id, uuid_v7(now()), e.id, w.id, now()
    FROM events e JOIN webhook_endpoints w ON w.workspace_id = e.workspace_id AND e.campaign_id = ANY(w.campaign_ids)
"""


def _ours(stage: Stage, url: str, worker: Program, receiver: Program) -> Contestant:
    """Announces the same events anew, and waits until each is delivered and settled: a round is not timed, but done."""

    async def run(_: float) -> Figures:
        connection = await asyncpg.connect(url)
        before = await received_by(receiver)
        watch = Watch(worker=worker.cpu_seconds, postgres=stage.postgres_cpu_seconds, receiver=receiver.cpu_seconds)
        queued = int((await connection.execute(_ANNOUNCE_ANEW)).split()[-1])
        started_at = perf_counter()
        await connection.execute(f"NOTIFY {CHANNEL}")
        await _until(lambda: _is_settled(connection, receiver, before + queued))
        took = perf_counter() - started_at
        await connection.close()
        return Figures(queued / took, cpu_us=watch.cpu_us(queued))

    return run


_ANNOUNCE_ANEW = """
    INSERT INTO event_queue (workspace_id, event_id) SELECT workspace_id, id FROM events
    WHERE type = 'response.created'
"""
_ANY_LEFT = "SELECT EXISTS (SELECT FROM event_queue) OR EXISTS (SELECT FROM deliveries)"


async def _is_settled(connection: asyncpg.Connection, receiver: Program, expected: int) -> bool:
    return await received_by(receiver) >= expected and not await connection.fetchval(_ANY_LEFT)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while not await holds():
        if monotonic() > deadline:
            raise RuntimeError("the deliveries do not come to an end")
        await asyncio.sleep(0.02)


async def received_by(receiver: Program) -> int:
    async with connected(receiver.port) as client:
        return int(await client.send(requests.get("/count", "")))


def _program(
    stage: Stage, receiver: Program, module: str, what: str, *, before: Callable[[str], Awaitable[None]] = _nothing
) -> Contestant:
    """`python -m MODULE WHAT SECONDS` prints how many it posted, in what time, and with how much CPU."""

    async def run(seconds: float) -> Figures:
        await before(what)
        watch = Watch(postgres=stage.postgres_cpu_seconds, receiver=receiver.cpu_seconds)
        command = [sys.executable, "-m", module, what, str(seconds)]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
        output = (await process.communicate())[0].decode()
        if process.returncode:
            raise RuntimeError(f"{module} failed:\n{output}")
        told = json.loads(output)
        cpu_us = {"worker": told["cpu_seconds"] / told["done"] * 1e6, **watch.cpu_us(told["done"])}
        return Figures(told["done"] / told["seconds"], cpu_us=cpu_us)

    return run
