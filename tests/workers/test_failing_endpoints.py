"""Somebody hears of it when nothing arrives any more, but never through the endpoint that it is about."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.backoff import DELAYS
from app.domain.webhooks.breaker import DISABLED_AFTER, OPENS_AFTER
from app.domain.webhooks.delivery import DeliveryState
from app.operations.deliveries.settle import Settlement, settle_deliveries
from app.operations.failing_endpoints import disable_failing_endpoints, warn_of_failing_endpoints
from app.operations.fan_out import fan_out
from tests.builders import a_campaign
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, arrived, uuid_text
from tests.workers.test_breaker import ended
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event
from tests.workers.test_leases import claim
from tests.workers.test_replay import work_off

OK, BROKEN = answer("200 OK"), answer("500 Internal Server Error")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WATCHED = ["endpoint.failing", "endpoint.disabled", "delivery.exhausted"]


async def fail(scene: Scene, endpoint_id: UUID, *, since: timedelta, failures: int = OPENS_AFTER) -> None:
    """As if its attempts had failed for so long, the last one just now."""
    await scene.database.execute(
        "INSERT INTO endpoint_health (workspace_id, endpoint_id, failures, failing_since, last_failed_at, last_failure)"
        " VALUES ($1, $2, $3, now() - $4::interval, now(), 'timeout')",
        scene.tenant.workspace_id, endpoint_id, failures, since,
    )  # fmt: skip


async def warn(scene: Scene, *, later: timedelta = timedelta(0)) -> int:
    async with scene.engine.write() as tx:
        return await warn_of_failing_endpoints(tx, now=datetime.now(UTC) + later)


async def disable(scene: Scene) -> int:
    async with scene.engine.write() as tx:
        return await disable_failing_endpoints(tx, now=datetime.now(UTC))


async def fanned_out(scene: Scene) -> list[tuple[str, UUID]]:
    """(type, endpoint) of all that waits to be delivered."""
    await fan_out(scene.database)
    rows = await scene.database.fetch(
        "SELECT e.type, d.endpoint_id FROM deliveries d JOIN events e ON e.id = d.event_id ORDER BY d.id"
    )
    return [(row["type"], row["endpoint_id"]) for row in rows]


async def test_the_others_are_warned_at_first_and_once_a_day(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    failing = await an_endpoint(scene.database, workspace_id, event_types=WATCHED)
    watching = await an_endpoint(scene.database, workspace_id, event_types=WATCHED)
    await an_endpoint(scene.database, workspace_id, event_types=["response.created"])
    await fail(scene, failing, since=HOUR)
    assert [await warn(scene), await warn(scene), await warn(scene, later=DAY - HOUR)] == [1, 0, 0]
    assert await fanned_out(scene) == [("endpoint.failing", watching)]
    assert await warn(scene, later=DAY + HOUR) == 1


async def test_a_hiccup_a_single_failure_and_a_disabled_endpoint_worry_nobody(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    await fail(scene, await an_endpoint(scene.database, workspace_id), since=timedelta(minutes=29))
    await fail(scene, await an_endpoint(scene.database, workspace_id), since=HOUR, failures=OPENS_AFTER - 1)
    await fail(scene, await an_endpoint(scene.database, workspace_id, disabled_at=datetime.now(UTC)), since=HOUR)
    assert await warn(scene) == 0


async def test_after_five_days_of_nothing_but_failures_it_is_disabled(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    failing = await an_endpoint(scene.database, workspace_id)
    watching = await an_endpoint(scene.database, workspace_id, event_types=["endpoint.disabled"])
    await fail(scene, failing, since=DISABLED_AFTER + HOUR)
    assert await disable(scene) == 0  # nobody has been warned
    await warn(scene, later=-DAY)
    failing_for = "UPDATE endpoint_health SET failing_since = last_failed_at - $1::interval"
    await scene.database.execute(failing_for, DISABLED_AFTER - HOUR)
    assert await disable(scene) == 0
    await scene.database.execute(failing_for, DISABLED_AFTER)
    assert [await disable(scene), await disable(scene)] == [1, 0]
    endpoint = await scene.get(f"/v1/webhook-endpoints/ep_{failing.hex}")
    assert (endpoint["state"], endpoint["disabled_reason"]) == ("disabled", "failing")
    assert ("endpoint.disabled", watching) in await fanned_out(scene)


async def test_what_is_given_up_is_told_to_the_others(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(BROKEN)) as dead, receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(dead, event_types=["response.created", *WATCHED], description="CRM")
        await scene.endpoint(here, event_types=["delivery.exhausted"])
        scene.work()
        await scene.answer(campaign)
        for attempts in range(1, len(DELAYS)):
            await scene.waiting_for_retry(endpoint, attempts=attempts)
            await scene.make_due()
        (exhausted,) = await scene.settled(endpoint)
        (told,) = await arrived(here)
    data = told.json["data"]
    assert (data["delivery"]["id"], data["delivery"]["event_id"]) == (exhausted["id"], exhausted["event_id"])
    assert (data["delivery"]["event_type"], data["delivery"]["attempt_count"]) == ("response.created", len(DELAYS))
    assert data["endpoint"] == {"id": endpoint["id"], "description": "CRM"}
    assert len(dead.requests) == len(DELAYS)


async def test_two_dead_endpoints_do_not_tell_each_other_for_ever(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    for _ in range(2):
        await an_endpoint(scene.database, workspace_id)
    await an_event(scene.database, workspace_id, **DETRACTOR)
    await fan_out(scene.database)
    assert await give_up_all(scene) == 2
    assert [kind for kind, _ in await fanned_out(scene)] == ["delivery.exhausted"] * 2
    assert await give_up_all(scene) == 2
    assert await fanned_out(scene) == []


async def give_up_all(scene: Scene) -> int:
    given_up = [
        Settlement(one, DeliveryState.EXHAUSTED, attempt=ended(one, Failure.TIMEOUT).attempt)
        for one in await claim(scene.database, seconds=60)
    ]
    await settle_deliveries(scene.database, given_up)
    return len(given_up)


async def test_enabling_delivers_what_was_missed_if_wanted(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    endpoint = await scene.endpoint("http://127.0.0.1:9/", event_types=["response.created"])
    place = f"/v1/webhook-endpoints/{endpoint['id']}"
    await scene.answer(campaign)
    await fan_out(scene.database)
    failing_since = timedelta(minutes=5)
    await fail(scene, UUID(uuid_text(endpoint)), since=failing_since)
    await give_up_all(scene)
    await scene.post(f"{place}/disable")
    await scene.answer(campaign)
    await fan_out(scene.database)
    enabled = await scene.post(f"{place}/enable", deliver_missed=True)
    (replay,) = (await scene.get(f"{place}/replays"))["data"]
    assert (enabled["was_enabled"], enabled["replay_id"]) == (False, replay["id"])
    since = datetime.fromisoformat(replay["since"])
    assert abs(datetime.now(UTC) - failing_since - since) < timedelta(minutes=1)
    await work_off(scene)
    states = [one["state"] for one in await scene.deliveries(endpoint)]
    assert states == ["pending", "pending"]


async def test_enabling_delivers_nothing_that_nobody_asked_for(scene: Scene) -> None:
    endpoint = await scene.endpoint("http://127.0.0.1:9/")
    place = f"/v1/webhook-endpoints/{endpoint['id']}"
    await scene.post(f"{place}/disable")
    assert (await scene.post(f"{place}/enable", deliver_missed=False))["replay_id"] is None
    assert (await scene.get(f"{place}/replays"))["data"] == []


async def test_enabling_what_is_enabled_says_so_and_delivers_nothing(scene: Scene) -> None:
    endpoint = await scene.endpoint("http://127.0.0.1:9/")
    place = f"/v1/webhook-endpoints/{endpoint['id']}"
    again = await scene.post(f"{place}/enable", deliver_missed=True)
    assert (again["state"], again["was_enabled"], again["replay_id"]) == ("enabled", True, None)
    assert (await scene.get(f"{place}/replays"))["data"] == []


async def test_whoever_looks_after_the_workspace_is_told_by_mail(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    failing = await an_endpoint(scene.database, workspace_id)
    await fail(scene, failing, since=DISABLED_AFTER + HOUR)
    assert await warn(scene, later=-DAY) == 1
    notices = "SELECT to_address, subject, raw, purpose FROM outgoing_mails ORDER BY created_at, id"
    assert await scene.database.fetch(notices) == []  # nobody asked for it
    reply = await scene.tenant.api.patch("/v1/workspace", json={"sender": {"notify_email": "ops@shop.example"}})
    assert reply.status_code == 200, reply.text
    assert await warn(scene, later=HOUR) == 1
    await scene.database.execute("UPDATE endpoint_health SET last_failed_at = warned_at")
    assert await disable(scene) == 1
    told = await scene.database.fetch(notices)
    assert [(row["to_address"], row["purpose"]) for row in told] == [("ops@shop.example", "notice")] * 2
    assert {row["subject"] for row in told} == {
        "Alice: a webhook endpoint is failing", "Alice: a webhook endpoint was disabled",
    }  # fmt: skip
    assert all(b"\r\nSubject: Alice: a webhook" in row["raw"] for row in told)
