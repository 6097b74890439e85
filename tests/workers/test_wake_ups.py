"""`endpoint_work` says when to look. Nothing may fall through between those who add work and those who take it.

The sweep that repairs it every minute stays off here: what it would have to find is a bug.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import asyncpg
import pytest

from app.domain.webhooks.attempts import Failure, Outcome
from app.domain.webhooks.delivery import DeliveryState
from app.operations.deliveries import health
from app.operations.deliveries.claim import ClaimedDelivery, Lease, claim_due_deliveries
from app.operations.deliveries.settle import Attempt, Settlement, settle_deliveries
from app.operations.fan_out import fan_out
from tests.workers.scene import Scene, until
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event

CAP = 3


@asynccontextmanager
async def connections(scene: Scene, count: int) -> AsyncIterator[list[asyncpg.Connection]]:
    opened = [await asyncpg.connect(scene.database_url) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            await connection.close()


async def claim(connection: asyncpg.Connection) -> list[ClaimedDelivery]:
    async with connection.transaction():
        claim = await claim_due_deliveries(connection, lease=Lease.of(60), limit=5, cap_of=lambda _: CAP)
    return list(claim.deliveries)


def ended(delivery: ClaimedDelivery, *, well: bool) -> Settlement:
    """Well, or to be tried again at once."""
    outcome = Outcome(200 if well else 500, None if well else Failure.BAD_STATUS, None, b"", 1, sent=True)
    attempt = Attempt(datetime.now(UTC), outcome)
    if well:
        return Settlement(delivery, DeliveryState.DELIVERED, attempt=attempt)
    return Settlement(delivery, DeliveryState.PENDING, wait=timedelta(0), attempt=attempt)


async def is_blocked(scene: Scene) -> bool:
    return await scene.database.fetchval(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


async def test_a_delivery_committed_while_a_claim_ends_is_not_overlooked(scene: Scene) -> None:
    """The claim has looked and found nothing more; the delivery is added before it writes down when to look again."""
    workspace_id = scene.tenant.workspace_id
    await an_endpoint(scene.database, workspace_id)
    await an_event(scene.database, workspace_id, **DETRACTOR)
    await fan_out(scene.database)
    async with connections(scene, 2) as (claimer, adder):
        async with claimer.transaction():
            held = (await claim_due_deliveries(claimer, lease=Lease.of(60), limit=5, cap_of=lambda _: CAP)).deliveries
            await an_event(scene.database, workspace_id, **DETRACTOR)
            adding = asyncio.create_task(fan_out(adder))
            await until(lambda: is_blocked(scene))
        await adding
        assert len(held) == 1
        assert len(await claim(claimer)) == 1


async def test_a_place_freed_while_a_claim_counts_is_not_lost(scene: Scene) -> None:
    """The claim counts the endpoint as full and notes the end of a lease; a settlement frees a place meanwhile."""
    workspace_id = scene.tenant.workspace_id
    await an_endpoint(scene.database, workspace_id)
    for _ in range(CAP + 1):
        await an_event(scene.database, workspace_id, **DETRACTOR)
    await fan_out(scene.database)
    held = await claim(scene.database)
    assert len(held) == CAP
    await scene.database.execute("UPDATE endpoint_work SET due_at = now()")
    async with connections(scene, 2) as (claimer, settler):
        async with claimer.transaction():
            more = await claim_due_deliveries(claimer, lease=Lease.of(60), limit=5, cap_of=lambda _: CAP)
            assert not more.deliveries
            settling = asyncio.create_task(settle_deliveries(settler, [ended(held[0], well=True)]))
            await until(lambda: is_blocked(scene))
        await settling
        assert len(await claim(claimer)) == 1


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_the_order_everything_is_delivered_without_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Two workers fan out, claim and settle against each other and against new events, until nothing is left."""
    monkeypatch.setattr(health, "OPENS_AFTER", 1_000)  # failures in a row, of which there are some by chance
    random = Random(seed)
    workspace_id, events = scene.tenant.workspace_id, 60
    for _ in range(3):
        await an_endpoint(scene.database, workspace_id)
    async with connections(scene, 7) as (writer, *workers):
        deadline = asyncio.get_running_loop().time() + 20

        async def announce() -> None:
            for _ in range(events):
                await an_event(writer, workspace_id, **DETRACTOR)

        async def work(fanning: asyncpg.Connection, claimer: asyncpg.Connection, settler: asyncpg.Connection) -> None:
            while not await _is_all_delivered(claimer, 3 * events):
                assert asyncio.get_running_loop().time() < deadline, await _left(claimer)
                acts = [fan_out(fanning, limit=random.randint(1, 9)), _claim_and_settle(claimer, settler, random)]
                await asyncio.gather(*random.sample(acts, 2))

        await asyncio.gather(announce(), work(*workers[:3]), work(*workers[3:]))


async def _claim_and_settle(claimer: asyncpg.Connection, settler: asyncpg.Connection, random: Random) -> None:
    claimed = await claim(claimer)
    random.shuffle(claimed)
    while claimed:
        some = [claimed.pop() for _ in range(min(random.randint(1, 3), len(claimed)))]
        settlements = [ended(delivery, well=random.random() < 0.8) for delivery in some]
        await settle_deliveries(settler, settlements)


async def _is_all_delivered(connection: asyncpg.Connection, count: int) -> bool:
    return await connection.fetchval("SELECT count(*) = $1 FROM delivery_log", count)


async def _left(connection: asyncpg.Connection) -> dict[UUID, object]:
    rows = await connection.fetch(
        "SELECT d.endpoint_id, count(*), min(d.due_at) - now() AS due, min(w.due_at) - now() AS noted"
        " FROM deliveries d LEFT JOIN endpoint_work w USING (workspace_id, endpoint_id) GROUP BY 1"
    )
    return {row["endpoint_id"]: tuple(row)[1:] for row in rows}
