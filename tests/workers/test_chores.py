"""What the timetable rings for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from app.operations.partitions import (
    PARTITIONED,
    Month,
    drop_old_partitions,
    empty_default_partition,
    ensure_partitions,
)
from app.operations.responses.forget_keys import BEFORE_ALL, Place, forget_response_keys
from app.workers import chores
from app.workers.timetable import TIMETABLE
from tests.builders import a_campaign
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, until
from tests.workers.test_fan_out import DETRACTOR, an_endpoint, an_event
from tests.workers.test_wake_ups import claim

NOVEMBER = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


async def test_each_month_gets_its_partitions_in_good_time(scene: Scene) -> None:
    for _ in range(2):
        await begin(scene, NOVEMBER)
    assert await partitions(scene) == [
        "delivery_attempts_p2026_11", "delivery_attempts_p2026_12", "delivery_log_p2026_11", "delivery_log_p2026_12",
    ]  # fmt: skip
    for finished_at in (NOVEMBER, NOVEMBER + timedelta(days=30), NOVEMBER + timedelta(days=60)):
        await a_finished_delivery(scene, finished_at)
    assert await tables_of_log(scene) == ["delivery_log_p2026_11", "delivery_log_p2026_12", "delivery_log_default"]


async def test_a_month_that_has_begun_in_the_default_partition_stays_there(scene: Scene) -> None:
    await a_finished_delivery(scene, NOVEMBER)
    await begin(scene, NOVEMBER)
    assert "delivery_log_p2026_11" not in await partitions(scene)
    assert "delivery_log_p2026_12" in await partitions(scene)


async def test_old_months_go_in_one_piece_and_old_strays_with_them(scene: Scene) -> None:
    await begin(scene, NOVEMBER)
    stray = NOVEMBER - timedelta(days=40)
    for finished_at in (stray, NOVEMBER, NOVEMBER + timedelta(days=30)):
        await a_finished_delivery(scene, finished_at)
    dropped, emptied = [], 0
    for table in PARTITIONED:
        async with scene.engine.write() as tx:
            dropped += await drop_old_partitions(tx, table, before=datetime(2026, 12, 1, tzinfo=UTC))
            emptied += await empty_default_partition(tx, table, before=NOVEMBER)
    assert sorted(dropped) == ["delivery_attempts_p2026_11", "delivery_log_p2026_11"]
    assert emptied == 1
    assert await tables_of_log(scene) == ["delivery_log_p2026_12"]


@pytest.mark.parametrize(
    ("at", "begins_at", "ends_at"),
    [
        (
            datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
        (datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_month_ends_where_the_next_begins(at: datetime, begins_at: datetime, ends_at: datetime) -> None:
    assert (Month.of(at).begins_at, Month.of(at).ends_at) == (begins_at, ends_at)


async def test_events_are_kept_for_thirty_days_and_while_somebody_needs_them(scene: Scene) -> None:
    database, workspace_id = scene.database, scene.tenant.workspace_id
    fanned_out = await an_event(database, workspace_id, **DETRACTOR)
    await database.execute("DELETE FROM event_queue")
    pending = await an_event(database, workspace_id, **DETRACTOR)
    await an_endpoint(database, workspace_id)
    worker = scene.work()
    await until(lambda: database.fetchval("SELECT count(*) = 1 FROM deliveries WHERE attempts = 1"))
    await worker.stop()
    queued = await an_event(database, workspace_id, **DETRACTOR)
    old = "UPDATE events SET created_at = now() - interval '31 days'"
    await database.execute(old)
    young = await an_event(database, workspace_id, **DETRACTOR)
    await chores.prune_events(scene.engine, scene.settings())
    left = {row["id"] for row in await database.fetch("SELECT id FROM events")}
    assert left == {pending, queued, young}
    assert fanned_out not in left


async def test_what_was_said_about_somebody_goes_with_the_event_that_knows_of_whom(scene: Scene) -> None:
    campaign, database = await a_campaign(scene.engine, scene.tenant.workspace_id), scene.database
    person = (await scene.post("/v1/recipients", external_id="a", name="Ada", email="ada@example.com"))["id"]
    async with receiver(answering(answer("200 OK", body=b"Thank you, Ada"))) as here:
        endpoint = await scene.endpoint(here, event_types=["response.created"], delay_seconds=1)
        scene.work()
        await scene.answer(campaign, recipient_id=person, comment="Ada")
        await scene.settled(endpoint)
        young = "UPDATE events SET created_at = now() - interval '29 days'"
        for age, kept in ((young, 2), (young.replace("29", "31"), 0)):
            await database.execute(age)
            await chores.prune_events(scene.engine, scene.settings())
            about_ada = """
                SELECT (SELECT count(*) FROM delivery_log WHERE body::text LIKE '%Ada%')
                    + (SELECT count(*) FROM delivery_attempts WHERE reply_head LIKE '%Ada%')
            """
            assert await database.fetchval(about_ada) == kept
        (delivery,) = await scene.deliveries(endpoint)
    assert (delivery["state"], delivery["attempts"][0]["reply_head"]) == ("delivered", "")
    assert delivery["attempts"][0]["request_head"] == f"POST {here.url}"


async def test_the_sweep_finds_what_the_notes_forgot(scene: Scene) -> None:
    database, workspace_id = scene.database, scene.tenant.workspace_id
    forgotten, late = [await an_endpoint(database, workspace_id) for _ in range(2)]
    resting = await an_endpoint(database, workspace_id, disabled_at=datetime.now(UTC))
    for endpoint_id in (forgotten, late, resting):
        await database.execute(
            "INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at)"
            " VALUES ($1, gen_random_uuid(), gen_random_uuid(), $2, now() - interval '1 s')",
            workspace_id, endpoint_id,
        )  # fmt: skip
    note = "INSERT INTO endpoint_work VALUES ($1, $2, now() + interval '1 hour')"
    await database.execute(note, workspace_id, late)
    await chores.recompute_endpoint_work(scene.engine, scene.settings())
    rows = await database.fetch("SELECT endpoint_id FROM endpoint_work WHERE due_at <= now()")
    assert {row["endpoint_id"] for row in rows} == {forgotten, late}
    assert await database.fetchval("SELECT count(*) FROM endpoint_work") == 2


async def test_what_nobody_will_ever_fetch_is_cancelled(scene: Scene) -> None:
    database, workspace_id, long_ago = scene.database, scene.tenant.workspace_id, datetime.now(UTC) - timedelta(days=31)
    deleted = await an_endpoint(database, workspace_id, deleted_at=datetime.now(UTC))
    disabled = await an_endpoint(database, workspace_id, disabled_at=long_ago)
    enabled = await an_endpoint(database, workspace_id)
    for endpoint_id, created_at in (
        (deleted, datetime.now(UTC)), (disabled, long_ago), (disabled, datetime.now(UTC)), (enabled, long_ago),
    ):  # fmt: skip
        await database.execute(
            "INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at, created_at)"
            " VALUES ($1, gen_random_uuid(), gen_random_uuid(), $2, now(), $3)",
            workspace_id, endpoint_id, created_at,
        )  # fmt: skip
    await chores.cancel_hopeless_deliveries(scene.engine, scene.settings())
    cancelled = await database.fetch("SELECT endpoint_id FROM delivery_log WHERE state = 'cancelled'")
    assert {row["endpoint_id"] for row in cancelled} == {deleted, disabled}
    left = await database.fetch("SELECT endpoint_id FROM deliveries")
    assert {row["endpoint_id"] for row in left} == {disabled, enabled}


async def test_an_idempotency_key_is_forgotten_after_a_day(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    for number in range(5):
        answer = {"campaign_id": campaign, "score": 9}
        await scene.tenant.api.post("/v1/responses", json=answer, headers={"idempotency-key": f"key {number}"})
    old = "UPDATE responses SET created_at = now() - interval '25 h' WHERE id IN (SELECT id FROM responses LIMIT 3)"
    await scene.database.execute(old)
    place: Place | None = BEFORE_ALL
    while place is not None:
        async with scene.engine.write() as tx:
            place = await forget_response_keys(tx, behind=place, now=datetime.now(UTC), limit=2)
    kept = "SELECT count(*) FILTER (WHERE idempotency_key IS NULL AND request_digest IS NULL), count(*) FROM responses"
    assert tuple(await scene.database.fetchrow(kept)) == (3, 5)


async def test_a_campaign_whose_time_has_come_completes(scene: Scene) -> None:
    campaign = await a_campaign(
        scene.engine, scene.tenant.workspace_id, ends_at=datetime.now(UTC) - timedelta(seconds=1)
    )
    await chores.advance_campaigns(scene.engine, scene.settings())
    assert (await scene.get(f"/v1/campaigns/{campaign}"))["state"] == "completed"
    assert [event["type"] for event in (await scene.get("/v1/events"))["data"]] == ["campaign.completed"]


async def test_every_chore_may_ring_in_two_workers_at_once(scene: Scene) -> None:
    workers = [scene.work(), scene.work()]
    await an_endpoint(scene.database, scene.tenant.workspace_id)
    await until(
        lambda: scene.database.fetchval(
            "SELECT to_regclass($1) IS NOT NULL", f"delivery_log{Month.of(datetime.now(UTC)).suffix}"
        )
    )
    for worker in workers:
        await worker.stop()
    assert await claim(scene.database) == []


def test_the_timetable_names_each_chore_once() -> None:
    names = [entry.chore.__name__ for entry in TIMETABLE]
    assert len(names) == len(set(names))
    assert all(IntervalTrigger(seconds=int(entry.every.total_seconds())) for entry in TIMETABLE)


async def begin(scene: Scene, now: datetime) -> None:
    for table in PARTITIONED:
        async with scene.engine.write() as tx:
            await ensure_partitions(tx, table, now=now)


async def partitions(scene: Scene) -> list[str]:
    rows = await scene.database.fetch(
        "SELECT relname FROM pg_class WHERE relname ~ '^delivery_.*_p\\d{4}_\\d\\d$' ORDER BY 1"
    )
    return [row["relname"] for row in rows]


async def tables_of_log(scene: Scene) -> list[str]:
    rows = await scene.database.fetch("SELECT tableoid::regclass::text AS name FROM delivery_log ORDER BY finished_at")
    return [row["name"] for row in rows]


async def a_finished_delivery(scene: Scene, finished_at: datetime) -> None:
    await scene.database.execute(
        "INSERT INTO delivery_log (workspace_id, id, finished_at, event_id, endpoint_id, state, attempts, created_at)"
        " VALUES ($1, $2, $3, $2, $2, 'delivered', 1, $3)",
        scene.tenant.workspace_id, uuid4(), finished_at,
    )  # fmt: skip


async def test_a_secret_is_destroyed_a_day_after_it_expired(scene: Scene) -> None:
    endpoint = await scene.endpoint("http://127.0.0.1:9/")
    for overlap in (0, 3_600):
        await scene.post(f"/v1/webhook-endpoints/{endpoint['id']}/secrets/rotate", overlap_seconds=overlap)
    old = "UPDATE endpoint_secrets SET expires_at = now() - interval '25 h' WHERE expires_at < now()"
    await scene.database.execute(old)
    await chores.destroy_old_secrets(scene.engine, scene.settings())
    assert await scene.database.fetchval("SELECT count(*) FROM endpoint_secrets") == 2
