"""Twenty receivers with a backlog take requests and never answer: what a healthy one notices of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random

from app.domain import ids
from bench import requests
from bench.client import Client, connected
from bench.figures import Figures, Findings, Spread, percentile
from bench.latency import endpoint_at, probe, receiving
from bench.rounds import Plan, take_turns
from bench.stage import Stage
from bench.tenant import CAMPAIGNS, campaign_id

HANGING, BACKLOG = 20, 500  # deliveries for each of them
TOLD_TO_THOSE_THAT_HANG = {"campaign_id": ids.shown("campaign", campaign_id(CAMPAIGNS))}
ALONE, AGAIN, BESIDE = "alone", "alone again", f"beside {HANGING} that hang"


async def measure_isolation(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    async with (
        stage.database("bench_isolation") as url,
        stage.api(url) as api,
        stage.worker(url),
        receiving() as port,
        _hanging() as hanging_port,
        connected(api.port) as client,
    ):
        send = partial(_post, client, stage.tenant.token)
        await send("/v1/webhook-endpoints", endpoint_at(port))
        hanging = [(await send("/v1/webhook-endpoints", _hanging_at(hanging_port)))["id"] for _ in range(HANGING)]
        answers = [{**requests.answer(Random(4)), **TOLD_TO_THOSE_THAT_HANG} for _ in range(BACKLOG)]
        await send("/v1/responses/bulk", {"responses": answers})

        async def turn(_: float, *, are_there: bool) -> Figures:
            for one in hanging:
                await send(f"/v1/webhook-endpoints/{one}/{'enable' if are_there else 'disable'}")
            latencies = await probe(client, stage, plan.probes, campaigns=CAMPAIGNS - 1)
            return Figures(1e3 / percentile(latencies, 50), percentile(latencies, 50), percentile(latencies, 99))

        alone, beside = partial(turn, are_there=False), partial(turn, are_there=True)
        rounds = await take_turns({ALONE: alone, AGAIN: alone, BESIDE: beside}, plan, say)
    chance = ", ".join(f"{_over(rounds[AGAIN], rounds[ALONE], row).middle:.2f} ({row[-3:]})" for row in rows)
    remark = f"isolation: alone again ÷ alone, which is only chance: {chance}; {plan.probes} probes in each turn"
    return Findings({row: _over(rounds[BESIDE], rounds[ALONE], row) for row in rows}, rounds, remarks=[remark])


def _over(figures: Sequence[Figures], others: Sequence[Figures], row: str) -> Spread:
    which = f"{row[-3:]}_ms"
    return Spread.of(getattr(a, which) / getattr(b, which) for a, b in zip(figures, others, strict=True))


def _hanging_at(port: int) -> Mapping[str, object]:
    return {**endpoint_at(port), "campaign_ids": list(TOLD_TO_THOSE_THAT_HANG.values())}


async def _post(client: Client, token: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, str]:
    reply: dict[str, str] = await client.send(requests.post(path, body or {}, token))
    return reply


@asynccontextmanager
async def _hanging() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
