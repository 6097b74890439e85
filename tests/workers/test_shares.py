"""What one claim takes is shared out by workspace, so that nobody gets more by having more endpoints."""

from collections import Counter
from uuid import UUID

import asyncpg

from app.operations.deliveries.claim import Lease, claim_due_deliveries
from app.operations.fan_out import fan_out
from tests.conftest import a_tenant
from tests.workers.scene import Scene
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event

LIMIT = 20


async def claim(database: asyncpg.Connection) -> Counter[UUID]:
    """How many of each workspace."""
    async with database.transaction():
        claimed = await claim_due_deliveries(database, lease=Lease.of(60), limit=LIMIT, cap_of=lambda _: 64)
    return Counter(delivery.endpoint.workspace_id for delivery in claimed.deliveries)


async def a_backlog(scene: Scene, workspace_id: UUID, *, endpoints: int, events: int) -> None:
    for _ in range(endpoints):
        await an_endpoint(scene.database, workspace_id)
    for _ in range(events):
        await an_event(scene.database, workspace_id, **DETRACTOR)
    await fan_out(scene.database)


async def test_a_hundred_deliveries_of_ten_endpoints_leave_half_to_a_neighbour(scene: Scene) -> None:
    async with a_tenant(scene.app, scene.engine, "Bob") as bob:
        crowd = scene.tenant.workspace_id
        await a_backlog(scene, crowd, endpoints=10, events=10)
        await a_backlog(scene, bob.workspace_id, endpoints=1, events=30)
        assert await claim(scene.database) == {crowd: LIMIT // 2, bob.workspace_id: LIMIT // 2}
        assert await claim(scene.database) == {crowd: LIMIT // 2, bob.workspace_id: LIMIT // 2}


async def test_more_endpoints_than_one_claim_looks_at_delay_a_neighbour_by_one_claim(scene: Scene) -> None:
    """Whoever was served goes to the end of the queue."""
    async with a_tenant(scene.app, scene.engine, "Bob") as bob:
        crowd = scene.tenant.workspace_id
        await a_backlog(scene, crowd, endpoints=LIMIT, events=10)
        await a_backlog(scene, bob.workspace_id, endpoints=1, events=30)
        assert await claim(scene.database) == {crowd: LIMIT}
        assert (await claim(scene.database))[bob.workspace_id] == LIMIT // 2
