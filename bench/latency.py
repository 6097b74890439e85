"""How long after an answer is sent its webhook arrives: with nothing else to do, and amid a thousand a second."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from random import Random
from time import perf_counter

from bench import requests
from bench.client import Client, connected
from bench.figures import Findings, Spread, percentile
from bench.load import put_load
from bench.receiver import Receiver
from bench.rounds import Plan
from bench.stage import Stage
from bench.tenant import CAMPAIGNS

LOAD_PER_SECOND, LOAD_CONNECTIONS = 1_000, 64
PAUSE_SECONDS = 0.02  # between probes, so that each finds everybody at rest
PATIENCE_SECONDS = 30.0
MARK = b'"id":"resp_'


class Arrivals(Receiver):
    """Runs in our own process, so that both ends are read from one clock."""

    expected: Mapping[str, "asyncio.Future[float]"] = defaultdict(lambda: asyncio.get_running_loop().create_future())

    def answer(self, head: bytes, body: bytes) -> bytes:
        _, _, rest = body.partition(MARK)
        arrival = self.expected[f"resp_{rest[:32].decode()}"]
        if not arrival.done():  # it may come more than once
            arrival.set_result(perf_counter())
        return super().answer(head, body)


async def measure_latency(stage: Stage, plan: Plan, _: Collection[str], say: Callable[[str], None]) -> Findings:
    async with (
        stage.database("bench_latency") as url,
        stage.api(url) as api,
        stage.worker(url),
        receiving() as port,
        connected(api.port) as client,
    ):
        await client.send(requests.post("/v1/webhook-endpoints", endpoint_at(port), stage.tenant.token))
        say("probing at rest")
        idle = await probe(client, stage, plan.probes)
        say(f"probing amid {LOAD_PER_SECOND:,} answers a second")
        busy = await _amid_load(client, stage, plan, api.port)
    found = {**_percentiles("idle", idle), **_percentiles("loaded", busy)}
    remark = f"webhook_latency: {plan.probes} probes each; from sending the answer to the arrival of its webhook"
    return Findings({name: Spread.of([milliseconds]) for name, milliseconds in found.items()}, remarks=[remark])


@asynccontextmanager
async def receiving() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(Arrivals, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def endpoint_at(port: int) -> Mapping[str, str]:
    return {"url": f"http://127.0.0.1:{port}/"}


async def _amid_load(client: Client, stage: Stage, plan: Plan, port: int) -> list[float]:
    file = requests.write(stage.directory / "load.requests", requests.one_by_one(stage.tenant.token))
    seconds = 3 + plan.probes * 3 * PAUSE_SECONDS
    load = asyncio.create_task(
        put_load(file, port=port, connections=LOAD_CONNECTIONS, seconds=seconds, rate=LOAD_PER_SECOND)
    )
    await asyncio.sleep(1)
    latencies = await probe(client, stage, plan.probes)
    await load
    return latencies


async def probe(client: Client, stage: Stage, count: int, *, campaigns: int = CAMPAIGNS) -> list[float]:
    """Milliseconds, in ascending order; with answers to the first so many campaigns."""
    chance, latencies = Random(3), []
    for _ in range(count):
        probe = requests.post("/v1/responses", requests.answer(chance, campaigns=campaigns), stage.tenant.token)
        sent_at = perf_counter()
        reply = await client.send(probe)
        latencies.append((await _arrival(reply["id"]) - sent_at) * 1e3)
        await asyncio.sleep(PAUSE_SECONDS)
    return sorted(latencies)


async def _arrival(response_id: str) -> float:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await Arrivals.expected[response_id]


def _percentiles(when: str, latencies: list[float]) -> Mapping[str, float]:
    return {f"webhook_latency_{when}_p{percent}": percentile(latencies, percent) for percent in (50, 99)}
