"""A receiver was away for days: a million deliveries wait, and sending them must not get slower along the way."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from statistics import mean
from time import monotonic, perf_counter

import asyncpg

from app.operations.events import CHANNEL
from bench import requests
from bench.client import connected, send_all
from bench.deliveries import received_by
from bench.figures import Figures, Findings, Spread
from bench.processes import Program
from bench.record import BULK_SIZE
from bench.rounds import Plan
from bench.stage import Stage

ENDPOINTS = 10
PARTS = 10
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 900.0


async def measure_backlog(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    say(f"preparing {plan.backlog:,} deliveries")
    async with stage.beside("bench.receiver") as receiver, stage.database("bench_backlog") as url:
        await _prepare(stage, url, receiver, plan.backlog // ENDPOINTS)
        connection = await asyncpg.connect(url)
        queued = int((await connection.execute(_QUEUE)).split()[-1])
        await connection.execute("VACUUM ANALYZE deliveries")
        before = await connection.fetchval(_SIZE)
        async with stage.worker(url):
            say(f"delivering {queued:,}")
            await connection.execute(_WAKE)
            await connection.execute(f"NOTIFY {CHANNEL}")
            moments = await _moments(receiver, queued)
        after = await connection.fetchval(_SIZE)
        await connection.close()
    pace = [queued / PARTS / (end - start) for start, end in pairwise(moments)]
    remark = (
        f"backlog: the table of deliveries had {before / 1e6:.0f} MB when full, and {after / 1e6:.0f} MB in the end"
    )
    rounds = {"backlog": [Figures(one) for one in pace]}
    return Findings(dict.fromkeys(rows, _end_over_beginning(pace)), rounds, remarks=[remark])


def _end_over_beginning(pace: Sequence[float]) -> Spread:
    """The first part and the last are left out: one has the worker's start in it, the other the last stragglers."""
    beginning = mean(pace[1 : PARTS // 2])
    return Spread(mean(pace[PARTS // 2 : -1]) / beginning, min(pace[1:-1]) / beginning, max(pace[1:-1]) / beginning)


async def _prepare(stage: Stage, url: str, receiver: Program, events: int) -> None:
    async with stage.api(url) as api:
        async with connected(api.port) as client:
            for number in range(ENDPOINTS):
                wanted = {"url": f"http://127.0.0.1:{receiver.port}/hooks/{number}"}
                await client.send(requests.post("/v1/webhook-endpoints", wanted, stage.tenant.token))
        sent = requests.in_bulk(stage.tenant.token, size=BULK_SIZE, count=max(1, events // BULK_SIZE))
        await send_all(sent, port=api.port, connections=4)


async def _moments(receiver: Program, queued: int) -> Sequence[float]:
    """When each part of the backlog had arrived, and when the first had not."""
    moments, deadline = [perf_counter()], monotonic() + PATIENCE_SECONDS
    while len(moments) <= PARTS:
        if monotonic() > deadline:
            raise RuntimeError("the backlog does not come to an end")
        if await received_by(receiver) >= queued * len(moments) // PARTS:
            moments.append(perf_counter())
        else:
            await asyncio.sleep(LOOK_SECONDS)
    return moments


# Fanned out beforehand, so that nothing but sending is measured.
_QUEUE = """
    WITH told AS (DELETE FROM event_queue RETURNING workspace_id, event_id)
    INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at)
    SELECT t.workspace_id, uuid_v7(now()), t.event_id, w.id, now()
    FROM told t JOIN webhook_endpoints w ON w.workspace_id = t.workspace_id
"""
_WAKE = """
    INSERT INTO endpoint_work (workspace_id, endpoint_id, due_at) SELECT workspace_id, id, now() FROM webhook_endpoints
    ON CONFLICT (workspace_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at
"""
_SIZE = "SELECT pg_total_relation_size('deliveries')"
