"""An endpoint that keeps failing is left alone, by all workers, and asked one delivery at a time whether it is back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.ids import shown
from app.domain.webhooks.attempts import Failure, Outcome
from app.domain.webhooks.breaker import ABOUT_ONE_DELIVERY, OPENS_AFTER, PAUSES
from app.domain.webhooks.delivery import DeliveryState
from app.operations.deliveries.claim import ClaimedDelivery
from app.operations.deliveries.settle import Attempt, Settlement, settle_deliveries
from app.operations.fan_out import fan_out
from app.outbound.connectors.run import nothing_sent
from tests.builders import a_campaign
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, arrived, until
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event
from tests.workers.test_leases import claim

OK, BROKEN = answer("200 OK"), answer("500 Internal Server Error")
MANY = 12


async def claimed(scene: Scene, count: int = MANY) -> list[ClaimedDelivery]:
    await an_endpoint(scene.database, scene.tenant.workspace_id)
    for _ in range(count):
        await an_event(scene.database, scene.tenant.workspace_id, **DETRACTOR)
    await fan_out(scene.database)
    return await claim(scene.database, seconds=60, cap=count)


def ended(delivery: ClaimedDelivery, failure: Failure | None = Failure.BAD_STATUS) -> Settlement:
    outcome = Outcome(500 if failure else 200, failure, None, b"", 1, sent=True)
    attempt = Attempt(datetime.now(UTC), outcome)
    state = DeliveryState.PENDING if failure else DeliveryState.DELIVERED
    return Settlement(delivery, state, wait=timedelta(0), attempt=attempt)


async def health(scene: Scene) -> dict[str, Any]:
    (endpoint,) = (await scene.get("/v1/webhook-endpoints"))["data"]
    return dict(endpoint["health"])


async def end_pause(scene: Scene) -> None:
    await scene.database.execute("UPDATE endpoint_health SET paused_until = now()")
    await scene.database.execute("UPDATE endpoint_work SET due_at = now()")


async def test_failures_in_a_row_pause_an_endpoint_and_the_rest_waits_without_counting_attempts(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(*[BROKEN] * OPENS_AFTER, OK)) as here:
        endpoint = await scene.endpoint(here)
        scene.work(in_flight_per_endpoint=1)
        scene.work(in_flight_per_endpoint=1)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(MANY)))
        await until(lambda: scene.database.fetchval("SELECT bool_or(paused_until > now()) FROM endpoint_health"))
        paused = (await scene.get(f"/v1/webhook-endpoints/{endpoint['id']}"))["health"]
        assert (paused["state"], paused["failures"], paused["last_failure"]) == ("paused", OPENS_AFTER, "bad_status")
        assert len(here.requests) == OPENS_AFTER
        attempts = await scene.database.fetchval("SELECT sum(attempts) FROM deliveries")
        assert attempts == OPENS_AFTER
        await scene.make_due()
        await scene.settled(endpoint, MANY)
        await arrived(here, OPENS_AFTER + MANY)
        healthy = (await scene.get(f"/v1/webhook-endpoints/{endpoint['id']}"))["health"]
    assert (healthy["state"], healthy["failures"], healthy["failing_since"]) == ("healthy", 0, None)


async def test_a_pause_outlives_the_worker_that_began_it(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(BROKEN)) as here, receiver(answering(OK)) as healthy:
        await scene.endpoint(here)
        worker = scene.work(in_flight_per_endpoint=1)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(MANY)))
        await until(lambda: scene.database.fetchval("SELECT bool_or(paused_until > now()) FROM endpoint_health"))
        await worker.stop()
        await scene.database.execute("UPDATE endpoint_health SET paused_until = now() + interval '1 hour'")
        await scene.database.execute("UPDATE deliveries SET due_at = now()")
        await scene.database.execute("UPDATE endpoint_work SET due_at = now()")
        asked = len(here.requests)
        other = await scene.endpoint(healthy)
        scene.work()
        await scene.answer(campaign)
        await scene.settled(other)
        assert len(here.requests) == asked
        noted = "SELECT max(due_at) > now() + interval '59 min' FROM endpoint_work"
        await until(lambda: scene.database.fetchval(noted))


async def test_of_a_paused_endpoint_one_delivery_at_a_time_is_tried(scene: Scene) -> None:
    taken = await claimed(scene)
    await settle_deliveries(scene.database, [ended(one) for one in taken])
    assert await claim(scene.database, seconds=60) == []
    await end_pause(scene)
    (probe,) = await claim(scene.database, seconds=60)
    await scene.database.execute("UPDATE endpoint_work SET due_at = now()")
    assert await claim(scene.database, seconds=60) == []
    await settle_deliveries(scene.database, [ended(probe, None)])
    assert len(await claim(scene.database, seconds=60)) == MANY - 1


async def test_each_probe_that_fails_makes_the_next_pause_longer(scene: Scene) -> None:
    taken = await claimed(scene, OPENS_AFTER)
    await settle_deliveries(scene.database, [ended(one) for one in taken])
    pause = "SELECT paused_until - last_failed_at FROM endpoint_health"
    pauses = [await scene.database.fetchval(pause)]
    for _ in PAUSES:
        await end_pause(scene)
        (probe,) = await claim(scene.database, seconds=60)
        await settle_deliveries(scene.database, [ended(probe)])
        pauses.append(await scene.database.fetchval(pause))
    assert pauses == [*PAUSES, PAUSES[-1]]


async def test_what_fails_late_does_not_lengthen_a_pause(scene: Scene) -> None:
    taken = await claimed(scene)
    await settle_deliveries(scene.database, [ended(one) for one in taken[:OPENS_AFTER]])
    ends_at = (await health(scene))["paused_until"]
    await settle_deliveries(scene.database, [ended(one) for one in taken[OPENS_AFTER:]])
    after = await health(scene)
    assert (after["paused_until"], after["failures"]) == (ends_at, MANY)


async def test_a_success_among_failures_keeps_the_breaker_shut(scene: Scene) -> None:
    taken = await claimed(scene)
    await settle_deliveries(scene.database, [ended(one) for one in taken[:4]])
    assert (await health(scene))["state"] == "failing"
    await settle_deliveries(scene.database, [ended(taken[4]), ended(taken[5], None), ended(taken[6])])
    assert (await health(scene))["state"] == "healthy"


async def test_a_probe_that_sent_nothing_does_not_end_the_pause(scene: Scene) -> None:
    taken = await claimed(scene)
    await settle_deliveries(scene.database, [ended(one) for one in taken])
    await end_pause(scene)
    (probe,) = await claim(scene.database, seconds=60)
    skipped = Attempt(datetime.now(UTC), nothing_sent("Nothing was sent: there is nobody to tell of."))
    await settle_deliveries(scene.database, [Settlement(probe, DeliveryState.DELIVERED, attempt=skipped)])
    assert (await health(scene))["state"] == "paused"
    await scene.database.execute("UPDATE endpoint_work SET due_at = now()")
    assert len(await claim(scene.database, seconds=60)) == 1


async def test_what_somebody_asks_to_retry_is_the_next_probe(scene: Scene) -> None:
    taken = await claimed(scene)
    await settle_deliveries(scene.database, [ended(one) for one in taken[:-1]])
    given_up = Attempt(datetime.now(UTC), Outcome(500, Failure.BAD_STATUS, None, b"", 1, sent=True))
    await settle_deliveries(scene.database, [Settlement(taken[-1], DeliveryState.EXHAUSTED, attempt=given_up)])
    await scene.database.execute("UPDATE deliveries SET due_at = now() - interval '1 hour'")
    for wanted in (taken[5], taken[-1], taken[7]):
        assert (await health(scene))["state"] == "paused"
        reply = await scene.tenant.api.post(f"/v1/deliveries/{shown('delivery', wanted.id)}/retry")
        assert reply.is_success, reply.text
        (probe,) = await claim(scene.database, seconds=60)
        assert probe.id == wanted.id
        await settle_deliveries(scene.database, [ended(probe)])


@pytest.mark.parametrize("failure", sorted(ABOUT_ONE_DELIVERY))
async def test_what_one_delivery_alone_is_to_blame_for_pauses_nobody(scene: Scene, failure: Failure) -> None:
    taken = await claimed(scene)
    await settle_deliveries(scene.database, [ended(one, failure) for one in taken])
    assert (await health(scene))["state"] == "healthy"


async def test_a_new_url_and_enabling_are_new_starts(scene: Scene) -> None:
    endpoint = await scene.endpoint("http://127.0.0.1:9/")
    place = f"/v1/webhook-endpoints/{endpoint['id']}"
    fail = (
        "INSERT INTO endpoint_health (workspace_id, endpoint_id, failures, failing_since, last_failed_at, last_failure)"
        " SELECT workspace_id, id, 7, now(), now(), 'timeout' FROM webhook_endpoints"
    )
    await scene.database.execute(fail)
    await scene.tenant.api.patch(place, json={"description": "The same"})
    assert (await health(scene))["failures"] == 7
    await scene.tenant.api.patch(place, json={"url": "http://127.0.0.1:10/"})
    assert (await health(scene))["failures"] == 0
    await scene.database.execute(fail)
    await scene.post(f"{place}/disable")
    await scene.post(f"{place}/enable", deliver_missed=False)
    assert (await health(scene))["failures"] == 0
