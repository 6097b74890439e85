"""What is claimed is settled, whatever happens in between."""

import asyncio
from types import SimpleNamespace
from typing import Any

from app.db.lane import Lane
from app.operations.fan_out import fan_out
from app.workers.courier import Courier
from app.workers.loop import Bell
from app.workers.worker import Worker
from tests.workers.scene import Scene
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event


async def test_what_nobody_thought_of_holds_no_place_for_ever(scene: Scene) -> None:
    database, workspace_id = scene.database, scene.tenant.workspace_id
    await an_endpoint(database, workspace_id)
    for _ in range(4):
        await an_event(database, workspace_id, **DETRACTOR)
    await fan_out(database)
    broken: Any = SimpleNamespace(lease_seconds=60.0, in_flight=8, in_flight_per_endpoint=64, poll_seconds=1.0)
    nothing: Any = None
    lane, settling_lane = Lane(scene.engine), Lane(scene.engine)
    worker = Worker(broken, scene.engine, client=nothing, keys=nothing)
    async with asyncio.timeout(10), Courier(worker, lane=lane, settling_lane=settling_lane, due=Bell()) as courier:
        await courier.step()
        assert courier.held == 4
        while courier.held:
            await courier.settling.step()
            await asyncio.sleep(0)
    await lane.close()
    await settling_lane.close()
    assert courier.places.free == 8
    waits = "SELECT count(*) FROM deliveries WHERE claim_id IS NULL AND attempts = 0 AND due_at > now()"
    assert await database.fetchval(waits) == 4
