"""One bad receiver slows nobody else, and PostgreSQL going away stops nobody for good."""

import asyncio
from contextlib import AsyncExitStack
from time import monotonic
from uuid import uuid4

from app.workers.trust import Trust
from tests.builders import a_campaign
from tests.outbound.receivers import answer, answering, doing, hang, receiver, reset
from tests.workers.scene import Scene, arrived, until

OK = answer("200 OK")
PATIENT = {"attempt_deadline_seconds": 10.0, "least_lease_seconds": 12.0, "lease_seconds": 30.0}


async def test_a_receiver_that_hangs_does_not_delay_a_healthy_one(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(doing(hang)) as dead, receiver(answering(OK)) as healthy:
        await scene.endpoint(dead)
        scene.work(in_flight=8, in_flight_per_endpoint=64, **PATIENT)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(20)))
        await arrived(dead, 4)
        endpoint = await scene.endpoint(healthy)
        started = monotonic()
        await scene.answer(campaign)
        await scene.settled(endpoint)
        assert monotonic() - started < 1.0
        assert len(dead.requests) == 4  # a sixteenth of the cap, until it has answered once


async def test_more_dead_receivers_than_places_delay_a_healthy_one_for_a_moment_only(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with AsyncExitStack() as stack:
        for _ in range(6):
            await scene.endpoint(await stack.enter_async_context(receiver(doing(hang))))
        healthy = await stack.enter_async_context(receiver(answering(OK)))
        scene.work(in_flight=4, in_flight_per_endpoint=32, **PATIENT)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(3)))
        await until(lambda: scene.database.fetchval("SELECT count(*) >= 8 FROM deliveries WHERE claim_id IS NOT NULL"))
        endpoint = await scene.endpoint(healthy)
        started = monotonic()
        await scene.answer(campaign)
        await scene.settled(endpoint)
        assert monotonic() - started < 6.0  # well before the deadline of those that hang


async def test_twenty_that_hang_hold_up_nothing_of_a_healthy_one(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with AsyncExitStack() as stack:
        hanging = [await stack.enter_async_context(receiver(doing(hang))) for _ in range(20)]
        for dead in hanging:
            await scene.endpoint(dead)
        healthy = await stack.enter_async_context(receiver(answering(OK)))
        endpoint = await scene.endpoint(healthy)
        scene.work(in_flight=64, **PATIENT)
        await asyncio.gather(*(scene.answer(campaign) for _ in range(50)))
        await scene.settled(endpoint, 50)
        # All of it arrived while every attempt at the others was still under way.
        assert await scene.database.fetchval("SELECT count(*) FROM delivery_attempts WHERE failure IS NOT NULL") == 0
        assert sum(len(dead.requests) for dead in hanging) >= 20


async def test_a_receiver_that_resets_is_recorded_and_tried_again(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(doing(reset)) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        waiting = await scene.waiting_for_retry(endpoint)
    assert (waiting["last_status"], waiting["last_failure"]) == (None, "reset")


async def test_nobody_listening_is_recorded_and_tried_again(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as gone:
        url = gone.url
    endpoint = await scene.endpoint(url)
    scene.work()
    await scene.answer(campaign)
    assert (await scene.waiting_for_retry(endpoint))["last_failure"] == "refused"


async def test_a_worker_survives_the_loss_of_all_its_connections(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        worker = scene.work()
        await scene.answer(campaign)
        await scene.settled(endpoint, 1)
        for round_ in range(2, 5):
            await cut_all_connections(scene)
            await scene.answer(campaign)
            await scene.settled(endpoint, round_)
        assert not worker.task.done()
        ids = {webhook.id for webhook in await arrived(here, 4)}
    assert len(ids) == 4


async def test_an_outcome_that_could_not_be_written_down_is_written_later(scene: Scene) -> None:
    """The settling connection dies while the receiver answers."""
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    release = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(OK)
        await writer.drain()

    async with receiver(doing(wait)) as here:
        endpoint = await scene.endpoint(here)
        scene.work(**PATIENT)
        await scene.answer(campaign)
        await arrived(here)
        await cut_all_connections(scene)
        release.set()
        (delivered,) = await scene.settled(endpoint)
        assert len(here.requests) == 1
    assert (delivered["state"], delivered["attempt_count"]) == ("delivered", 1)


async def test_without_listen_the_poll_finds_everything(scene: Scene) -> None:
    """As behind a pooler in transaction mode, where notifications get lost."""
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        await scene.settled(endpoint, 1)
        copy = "INSERT INTO {0} SELECT workspace_id, gen_random_uuid(), {1} FROM {0}"
        columns = (
            "type, schema_version, campaign_id, recipient_id, response_id, band, previous_band, score, occurred_at"
        )
        await scene.database.execute(copy.format("events", f"{columns}, body, created_at, revision, changed_in"))
        await scene.database.execute(
            "INSERT INTO event_queue SELECT workspace_id, id FROM events e"
            " WHERE NOT EXISTS (SELECT FROM delivery_log l WHERE l.event_id = e.id)"
        )
        await scene.settled(endpoint, 2)


async def cut_all_connections(scene: Scene) -> None:
    """The workers' and the API's; all but the one that does it."""
    await scene.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_trust_is_lost_by_failures_in_a_row_and_won_back_by_one_success() -> None:
    trust, endpoint_id = Trust(64), uuid4()
    trust.note(endpoint_id, is_delivered=True)
    for _ in range(4):
        trust.note(endpoint_id, is_delivered=False)
    trust.note(endpoint_id, is_delivered=True)
    for _ in range(4):
        trust.note(endpoint_id, is_delivered=False)
    assert trust.cap_of(endpoint_id) == 64
    trust.note(endpoint_id, is_delivered=False)
    assert trust.cap_of(endpoint_id) == 4
    assert trust.cap_of(uuid4()) == 4  # nobody knows yet
    trust.note(endpoint_id, is_delivered=True)
    assert trust.cap_of(endpoint_id) == 64
    assert Trust(1).cap_of(endpoint_id) == 1


def test_attempts_that_hang_cost_trust_until_one_arrives() -> None:
    trust, endpoint_id = Trust(64), uuid4()
    for _ in range(4):
        assert not trust.doubts(endpoint_id)
        trust.note_hanging(endpoint_id)
    assert trust.doubts(endpoint_id)
    assert not trust.doubts(uuid4())
    trust.note(endpoint_id, is_delivered=True)
    assert not trust.doubts(endpoint_id)
