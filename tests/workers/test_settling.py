"""Writing down how attempts ended."""

import asyncio
from datetime import UTC, datetime, timedelta

from app.db.lane import Lane
from app.domain.webhooks.attempts import Outcome
from app.domain.webhooks.delivery import DeliveryState
from app.operations.deliveries.claim import Lease, claim_due_deliveries
from app.operations.deliveries.settle import Attempt, Settlement, settle_deliveries
from app.operations.fan_out import fan_out
from app.operations.partitions import PARTITIONED, ensure_partitions
from app.workers.settling import Settling
from tests.workers.scene import Scene
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event


async def test_one_outcome_that_cannot_be_stored_does_not_hold_up_the_others(scene: Scene) -> None:
    database, workspace_id = scene.database, scene.tenant.workspace_id
    await an_endpoint(database, workspace_id)
    for _ in range(9):
        await an_event(database, workspace_id, **DETRACTOR)
    await fan_out(database)
    async with database.transaction():
        claimed = (await claim_due_deliveries(database, lease=Lease.of(60), limit=20, cap_of=lambda _: 16)).deliveries
    counted: list[int] = []
    lane = Lane(scene.engine)
    settling = Settling(lane, settled=counted.append)
    for number, delivery in enumerate(claimed):
        status = 2**40 if number == 4 else 200  # more than PostgreSQL's integer holds
        attempt = Attempt(datetime.now(UTC), Outcome(status, None, None, b"", 1, sent=True))
        settling.add(Settlement(delivery, DeliveryState.DELIVERED, attempt=attempt))
    async with asyncio.timeout(10):
        while settling.waiting:
            await settling.step()
    await lane.close()
    assert sum(counted) == 9
    assert await database.fetchval("SELECT count(*) FROM delivery_log") == 8
    assert await database.fetchval("SELECT id FROM deliveries") == claimed[4].id


async def test_a_new_month_may_begin_while_outcomes_are_written(scene: Scene) -> None:
    database, workspace_id = scene.database, scene.tenant.workspace_id
    await an_endpoint(database, workspace_id)
    for _ in range(60):
        await an_event(database, workspace_id, **DETRACTOR)
    await fan_out(database)
    async with database.transaction():
        claimed = (await claim_due_deliveries(database, lease=Lease.of(60), limit=60, cap_of=lambda _: 60)).deliveries

    async def settle() -> None:
        for delivery in claimed:
            attempt = Attempt(datetime.now(UTC), Outcome(200, None, None, b"", 1, sent=True))
            await settle_deliveries(database, [Settlement(delivery, DeliveryState.DELIVERED, attempt=attempt)])

    async def begin_months() -> None:
        for months in range(24):
            for table in PARTITIONED:
                async with scene.engine.write() as tx:
                    await ensure_partitions(tx, table, now=datetime.now(UTC) + timedelta(days=30 * months))

    await asyncio.gather(settle(), begin_months())
    assert await database.fetchval("SELECT count(*) FROM delivery_log") == 60
