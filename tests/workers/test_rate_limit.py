"""A rate limit holds over all workers, since what was taken is paid for in a row that each claim locks."""

import asyncio
from time import monotonic

from app.operations.fan_out import fan_out
from tests.builders import a_campaign
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, arrived
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event
from tests.workers.test_leases import claim
from tests.workers.test_wake_ups import connections

OK = answer("200 OK")


async def some_due(scene: Scene, *, rate: int, count: int) -> None:
    await an_endpoint(scene.database, scene.tenant.workspace_id, rate_limit_per_second=rate)
    for _ in range(count):
        await an_event(scene.database, scene.tenant.workspace_id, **DETRACTOR)
    await fan_out(scene.database)


async def look_again(scene: Scene) -> None:
    """As fan-out and settling have workers do all the time."""
    await scene.database.execute("UPDATE endpoint_work SET due_at = now()")


async def test_a_claim_takes_a_tenth_of_a_second_and_the_next_one_waits_until_it_is_paid(scene: Scene) -> None:
    await some_due(scene, rate=50, count=20)
    async with connections(scene, 2) as (one, other):
        assert len(await claim(one, seconds=60, cap=64)) == 5
        await scene.database.execute("UPDATE endpoint_work SET due_at = now(), paid_until = now() + interval '1 min'")
        assert await claim(other, seconds=60, cap=64) == []
        assert await scene.database.fetchval("SELECT due_at = paid_until FROM endpoint_work")
        await scene.database.execute("UPDATE endpoint_work SET due_at = now(), paid_until = now()")
        assert len(await claim(other, seconds=60, cap=64)) == 5


async def test_what_was_taken_is_paid_for_even_when_nothing_is_left(scene: Scene) -> None:
    await some_due(scene, rate=1, count=1)
    (delivery,) = await claim(scene.database, seconds=60)
    await scene.database.execute("DELETE FROM deliveries WHERE id = $1", delivery.id)
    await look_again(scene)
    assert await claim(scene.database) == []
    assert await scene.database.fetchval("SELECT paid_until > now() FROM endpoint_work")


async def test_two_workers_together_are_no_faster_than_the_limit(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    count, rate = 30, 20
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here, rate_limit_per_second=rate)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(count)))
        started = monotonic()
        scene.work()
        scene.work()
        await arrived(here, count)
        took = monotonic() - started
        await scene.settled(endpoint, count)
    assert took >= (count - 2) / rate  # the first two go out together


async def test_the_limit_can_be_changed_and_lifted(scene: Scene) -> None:
    endpoint = await scene.endpoint("http://127.0.0.1:9/", rate_limit_per_second=5)
    place = f"/v1/webhook-endpoints/{endpoint['id']}"
    assert endpoint["rate_limit_per_second"] == 5
    for refused in (0, 1_001, 2.5):
        assert (await scene.tenant.api.patch(place, json={"rate_limit_per_second": refused})).status_code == 422
    changed = await scene.tenant.api.patch(place, json={"rate_limit_per_second": None})
    assert changed.json()["rate_limit_per_second"] is None
