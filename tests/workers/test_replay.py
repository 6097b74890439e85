"""What an endpoint missed reaches it after all, under the id it always had."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.db.identifiers import new_id
from app.operations.deliveries import replay
from app.operations.fan_out import fan_out
from tests.conftest import a_tenant
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, arrived
from tests.workers.test_fan_out import DETRACTOR, PROMOTER, an_endpoint, an_event

OK = answer("200 OK")
BEFORE = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


async def endpoints(scene: Scene, **fields: Any) -> tuple[UUID, str]:
    endpoint_id = await an_endpoint(scene.database, scene.tenant.workspace_id, **fields)
    return endpoint_id, f"/v1/webhook-endpoints/ep_{endpoint_id.hex}"


async def some_events(scene: Scene, count: int = 1, **fields: Any) -> list[UUID]:
    workspace_id = scene.tenant.workspace_id
    made = [await an_event(scene.database, workspace_id, **(fields or DETRACTOR)) for _ in range(count)]
    await fan_out(scene.database)
    return made


async def finish(scene: Scene, event_ids: list[UUID], state: str) -> None:
    await scene.database.execute(
        "WITH gone AS (DELETE FROM deliveries WHERE event_id = ANY ($1) RETURNING *)"
        " INSERT INTO delivery_log (workspace_id, id, finished_at, event_id, endpoint_id, state, attempts, created_at)"
        " SELECT workspace_id, id, now(), event_id, endpoint_id, $2, 10, created_at FROM gone",
        event_ids, state,
    )  # fmt: skip


async def work_off(scene: Scene) -> int:
    """All batches; says how many there were."""
    batches = 0
    while True:
        async with scene.engine.write() as tx:
            if not await replay.work_off_replays(tx):
                return batches
        batches += 1


async def pending(scene: Scene, endpoint_id: UUID) -> set[UUID]:
    rows = await scene.database.fetch("SELECT event_id FROM deliveries WHERE endpoint_id = $1", endpoint_id)
    return {row["event_id"] for row in rows}


async def all_kinds(scene: Scene) -> tuple[UUID, str, dict[str, list[UUID]]]:
    """An endpoint with events that failed, arrived, were cancelled, wait, or never had a delivery."""
    endpoint_id, place = await endpoints(scene, bands=["detractor"])
    found = {state: await some_events(scene, 2) for state in ("exhausted", "delivered", "cancelled", "pending")}
    for state in ("exhausted", "delivered", "cancelled"):
        await finish(scene, found[state], state)
    await scene.post(f"{place}/disable")
    found["missed"] = await some_events(scene, 3)
    await some_events(scene, 3, **PROMOTER)
    await an_event(scene.database, scene.tenant.workspace_id, only=uuid4(), type="endpoint.test")
    await fan_out(scene.database)
    await scene.post(f"{place}/enable", deliver_missed=False)
    return endpoint_id, place, found


async def test_a_range_brings_back_what_failed(scene: Scene) -> None:
    endpoint_id, place, found = await all_kinds(scene)
    preview = await scene.get(f"{place}/replays/preview", since=BEFORE)
    assert preview == {"exhausted_count": 2, "never_attempted_count": 3, "is_complete": True}
    started = await scene.post(f"{place}/replays", since=BEFORE)
    assert (started["state"], started["replayed_count"]) == ("running", 0)
    await work_off(scene)
    assert await pending(scene, endpoint_id) == {*found["exhausted"], *found["pending"]}
    done = await scene.get(f"/v1/replays/{started['id']}")
    assert (done["state"], done["replayed_count"]) == ("completed", 2)
    assert (await scene.get(f"{place}/replays"))["data"] == [done]


async def test_a_range_may_bring_what_was_never_attempted_too(scene: Scene) -> None:
    endpoint_id, place, found = await all_kinds(scene)
    await scene.post(f"{place}/replays", since=BEFORE, include_never_attempted=True)
    await work_off(scene)
    assert await pending(scene, endpoint_id) == {*found["exhausted"], *found["pending"], *found["missed"]}
    await scene.post(f"{place}/replays", since=BEFORE, include_never_attempted=True)
    await work_off(scene)
    again = (await scene.get(f"{place}/replays"))["data"][0]
    assert (again["state"], again["replayed_count"]) == ("completed", 0)


async def test_a_range_has_two_ends(scene: Scene) -> None:
    endpoint_id, place = await endpoints(scene)
    await scene.database.execute("UPDATE webhook_endpoints SET disabled_at = now()")
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for hour in range(3):
        made = new_id(noon + timedelta(hours=hour))
        await an_event(scene.database, scene.tenant.workspace_id, id=made, **DETRACTOR)
        if hour == 1:
            wanted = made
    await fan_out(scene.database)
    await scene.database.execute("UPDATE webhook_endpoints SET disabled_at = NULL")
    bounds = {"since": (noon + timedelta(hours=1)).isoformat(), "until": (noon + timedelta(hours=2)).isoformat()}
    await scene.post(f"{place}/replays", **bounds, include_never_attempted=True)
    await work_off(scene)
    assert await pending(scene, endpoint_id) == {wanted}
    reply = await scene.tenant.api.post(f"{place}/replays", json={"since": BEFORE, "until": BEFORE})
    assert (reply.status_code, reply.json()["code"]) == (422, "replay_range_empty")


async def test_a_large_range_is_worked_off_in_batches(scene: Scene, monkeypatch: Any) -> None:
    monkeypatch.setattr(replay, "EVENTS_AT_ONCE", 4)
    endpoint_id, place = await endpoints(scene)
    made = await some_events(scene, 10)
    await finish(scene, made, "exhausted")
    await scene.post(f"{place}/replays", since=BEFORE)
    assert await work_off(scene) == 3
    assert await pending(scene, endpoint_id) == set(made)


async def test_a_worker_replays_and_the_id_is_the_old_one(scene: Scene) -> None:
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        (event_id,) = await some_events(scene)
        await finish(scene, [event_id], "exhausted")
        await scene.post(f"/v1/webhook-endpoints/{endpoint['id']}/replays", since=BEFORE)
        scene.work()
        (webhook,) = await arrived(here)
        (delivered,) = await scene.settled(endpoint)
    assert webhook.id == f"evt_{event_id.hex}"
    assert (delivered["state"], delivered["attempt_count"]) == ("delivered", 11)


async def test_a_cancelled_replay_keeps_what_it_has_done_and_does_no_more(scene: Scene, monkeypatch: Any) -> None:
    monkeypatch.setattr(replay, "EVENTS_AT_ONCE", 4)
    endpoint_id, place = await endpoints(scene)
    made = await some_events(scene, 10)
    await finish(scene, made, "exhausted")
    started = await scene.post(f"{place}/replays", since=BEFORE)
    async with scene.engine.write() as tx:
        assert await replay.work_off_replays(tx) == 1
    cancelled = await scene.post(f"/v1/replays/{started['id']}/cancel")
    assert (cancelled["state"], cancelled["replayed_count"]) == ("cancelled", 4)
    assert cancelled["finished_at"] is not None
    assert await work_off(scene) == 0
    assert await pending(scene, endpoint_id) == set(sorted(made)[:4])
    refused = await scene.tenant.api.post(f"/v1/replays/{started['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "replay_finished")
    assert "cancelled already" in refused.json()["detail"]


async def test_a_strangers_replay_goes_on(scene: Scene) -> None:
    _, place = await endpoints(scene)
    await some_events(scene)
    started = await scene.post(f"{place}/replays", since=BEFORE)
    async with a_tenant(scene.app, scene.engine, "Bob") as bob:
        reply = await bob.api.post(f"/v1/replays/{started['id']}/cancel")
    assert (reply.status_code, reply.json()["code"]) == (404, "replay_not_found")
    assert (await scene.get(f"/v1/replays/{started['id']}"))["state"] == "running"


async def test_a_replay_for_an_endpoint_that_is_disabled_ends(scene: Scene) -> None:
    endpoint_id, place = await endpoints(scene)
    made = await some_events(scene)
    await finish(scene, made, "exhausted")
    await scene.post(f"{place}/replays", since=BEFORE)
    await scene.post(f"{place}/disable")
    await work_off(scene)
    assert await pending(scene, endpoint_id) == set()
    assert (await scene.get(f"{place}/replays"))["data"][0]["state"] == "cancelled"
    refused = await scene.tenant.api.post(f"{place}/replays", json={"since": BEFORE})
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")


async def test_one_event_is_delivered_to_one_endpoint_whatever_its_filter(scene: Scene) -> None:
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here, event_types=["campaign.completed"])
        (event_id,) = await some_events(scene)
        place = f"/v1/events/evt_{event_id.hex}/deliveries"
        made = await scene.post(place, endpoint_id=endpoint["id"])
        assert (made["state"], made["attempt_count"]) == ("pending", 0)
        scene.work()
        await scene.settled(endpoint)
        again = await scene.post(place, endpoint_id=endpoint["id"])
        assert again["id"] == made["id"]
        first, second = await arrived(here, 2)
    assert first.id == second.id == f"evt_{event_id.hex}"
    unknown = await scene.tenant.api.post(
        f"/v1/events/evt_{uuid4().hex}/deliveries", json={"endpoint_id": endpoint["id"]}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "event_not_found")


async def test_finished_replays_are_forgotten_after_a_while(scene: Scene) -> None:
    _, place = await endpoints(scene)
    for _ in range(2):
        await scene.post(f"{place}/replays", since=BEFORE)
    await work_off(scene)
    await scene.post(f"{place}/replays", since=BEFORE)
    async with scene.engine.write() as tx:
        await replay.forget_old_replays(tx, before=datetime.now(UTC) + timedelta(minutes=1))
    assert [one["state"] for one in (await scene.get(f"{place}/replays"))["data"]] == ["running"]
