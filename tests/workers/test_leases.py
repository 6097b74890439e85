"""Who dies is overtaken by the clock; who is slow does not overwrite who came after."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID, uuid4

import asyncpg

from app.db.identifiers import new_id
from app.domain.ids import shown
from app.domain.webhooks.attempts import Outcome
from app.domain.webhooks.delivery import DeliveryState
from app.operations.deliveries.claim import ClaimedDelivery, Lease, claim_due_deliveries
from app.operations.deliveries.settle import Attempt, Settlement, settle_deliveries
from app.operations.fan_out import fan_out
from app.workers.deliver_webhooks import deliver
from app.workers.process import open_worker
from tests.builders import a_campaign
from tests.outbound.receivers import answer, answering, doing, hang, receiver
from tests.workers.scene import Scene, arrived, until

OK = answer("200 OK")


async def claim(connection: asyncpg.Connection, *, seconds: float = 2.0, cap: int = 16) -> list[ClaimedDelivery]:
    async with connection.transaction():
        claim = await claim_due_deliveries(connection, lease=Lease.of(seconds), limit=100, cap_of=lambda _: cap)
    return list(claim.deliveries)


def delivered(delivery: ClaimedDelivery) -> Settlement:
    outcome = Outcome(200, None, None, b"", 1, sent=True)
    return Settlement(delivery, DeliveryState.DELIVERED, attempt=Attempt(datetime.now(UTC), outcome))


async def test_a_dead_workers_delivery_is_taken_over_with_the_same_id(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(doing(hang)) as here:
        endpoint = await scene.endpoint(here)
        first = scene.work()
        await scene.answer(campaign)
        await arrived(here)
        died_at = monotonic()
        await first.kill()
        scene.work()
        one, other, *_ = await arrived(here, 2)
        assert monotonic() - died_at < 2.0 + 1.0  # the lease, and a poll
        assert (one.id, one.body) == (other.id, other.body)
        assert (await scene.deliveries(endpoint))[0]["attempt_count"] == 0


async def test_two_workers_deliver_each_event_once(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        scene.work(in_flight=8)
        scene.work(in_flight=8)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(200)))
        await scene.settled(endpoint, 200)
        ids = [webhook.id for webhook in await arrived(here, 200)]
    assert len(ids) == len(set(ids)) == 200


async def test_a_worker_told_to_stop_lets_attempts_end_and_gives_back_the_rest(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    release = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(OK)
        await writer.drain()

    async with receiver(doing(wait)) as here:
        endpoint = await scene.endpoint(here)
        worker = scene.work(in_flight=2, attempt_deadline_seconds=10, least_lease_seconds=12, lease_seconds=30)
        for _ in range(4):
            await scene.answer(campaign)
        await arrived(here, 2)
        await until(lambda: scene.database.fetchval("SELECT count(*) = 4 FROM deliveries WHERE claim_id IS NOT NULL"))
        stopping = asyncio.create_task(worker.stop())
        await until(lambda: scene.database.fetchval("SELECT count(*) = 2 FROM deliveries WHERE claim_id IS NULL"))
        release.set()
        await stopping
        states = sorted(delivery["state"] for delivery in await scene.deliveries(endpoint))
        assert len(here.requests) == 2
    assert states == ["delivered", "delivered", "pending", "pending"]


async def test_whoever_settles_too_late_changes_nothing(scene: Scene) -> None:
    await scene.endpoint("http://127.0.0.1:9/")
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    await scene.answer(campaign)
    await fan_out(scene.database)
    (late,) = await claim(scene.database, seconds=0)
    (current,) = await claim(scene.database)
    assert late.id == current.id
    await settle_deliveries(scene.database, [delivered(late)])
    assert await scene.database.fetchval("SELECT claim_id FROM deliveries") == current.claim_id
    await settle_deliveries(scene.database, [delivered(current)])
    await settle_deliveries(scene.database, [delivered(current)])  # as after a broken connection
    assert await scene.database.fetchval("SELECT count(*) FROM delivery_log") == 1
    assert await scene.database.fetchval("SELECT count(*) FROM deliveries") == 0


async def test_a_live_lease_is_nobody_elses(scene: Scene) -> None:
    await scene.endpoint("http://127.0.0.1:9/")
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    await scene.answer(campaign)
    await fan_out(scene.database)
    assert len(await claim(scene.database, seconds=60)) == 1
    await scene.database.execute("UPDATE endpoint_work SET due_at = now()")
    assert await claim(scene.database) == []


async def test_no_attempt_begins_that_could_outlive_its_lease(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        await scene.endpoint(here)
        await scene.answer(campaign)
        await fan_out(scene.database)
        (delivery,) = await claim(scene.database)
        async with open_worker(scene.settings()) as worker:
            settlement = await deliver(delivery, worker=worker, lease_ends_at=monotonic() + 0.9)
        assert (settlement.state, settlement.attempt) == (DeliveryState.PENDING, None)
        assert here.requests == []


async def test_the_cap_counts_what_any_worker_has_in_flight(scene: Scene) -> None:
    await scene.endpoint("http://127.0.0.1:9/")
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    for _ in range(5):
        await scene.answer(campaign)
    await fan_out(scene.database)
    first = await claim(scene.database, cap=3, seconds=60)
    assert len(first) == 3
    assert await claim(scene.database, cap=3) == []
    await settle_deliveries(scene.database, [delivered(first[0])])
    assert len(await claim(scene.database, cap=3)) == 1


async def test_endpoints_at_their_cap_do_not_stand_in_anybodys_way(scene: Scene) -> None:
    """More of them than one claim looks at."""
    workspace_id = scene.tenant.workspace_id
    for _ in range(60):
        await an_endpoint_with(scene, workspace_id, deliveries=2)
    while await claim(scene.database, cap=1, seconds=60):
        pass
    healthy = await an_endpoint_with(scene, workspace_id, deliveries=1)
    (claimed,) = await claim(scene.database, cap=1)
    assert claimed.endpoint.id == healthy


async def an_endpoint_with(scene: Scene, workspace_id: UUID, *, deliveries: int) -> UUID:
    """With deliveries that have been due for a moment."""
    endpoint_id = uuid4()
    due_at = datetime.now(UTC) - timedelta(seconds=1)
    await scene.database.execute(
        "INSERT INTO webhook_endpoints (workspace_id, id, url) VALUES ($1, $2, 'http://127.0.0.1:9/')",
        workspace_id, endpoint_id,
    )  # fmt: skip
    for _ in range(deliveries):
        event_id = new_id(due_at)
        await scene.database.execute(
            "INSERT INTO events (workspace_id, id, type, occurred_at, body) VALUES ($1, $2, 'x', now(), '{}')",
            workspace_id, event_id,
        )  # fmt: skip
        await scene.database.execute(
            "INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at) VALUES ($1, $2, $3, $4, $5)",
            workspace_id, uuid4(), event_id, endpoint_id, due_at,
        )  # fmt: skip
    await scene.database.execute("INSERT INTO endpoint_work VALUES ($1, $2, $3)", workspace_id, endpoint_id, due_at)
    return endpoint_id


async def test_a_disabled_endpoint_is_let_alone_and_its_note_forgotten(scene: Scene) -> None:
    """As after a fan-out that raced with the disabling."""
    endpoint_id = await an_endpoint_with(scene, scene.tenant.workspace_id, deliveries=1)
    await scene.database.execute("UPDATE webhook_endpoints SET disabled_at = now()")
    assert await claim(scene.database) == []
    assert await scene.database.fetchval("SELECT count(*) FROM endpoint_work") == 0
    await scene.post(f"/v1/webhook-endpoints/{shown('endpoint', endpoint_id)}/enable", deliver_missed=False)
    assert len(await claim(scene.database)) == 1
