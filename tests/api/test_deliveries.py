from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, text

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import endpoint_health
from app.domain.ids import parsed, shown
from tests.api.test_webhook_endpoints import a_delivery, create, uuid_of
from tests.builders import rows
from tests.conftest import Tenant


async def read(tenant: Tenant, delivery: UUID) -> dict[str, Any]:
    reply = await tenant.api.get(f"/v1/deliveries/{shown('delivery', delivery)}")
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def retry(tenant: Tenant, delivery: UUID) -> Any:
    return await tenant.api.post(f"/v1/deliveries/{shown('delivery', delivery)}/retry")


async def finish(engine: Engine, delivery: UUID, state: str) -> None:
    """As the worker does."""
    async with engine.write() as tx:
        await tx.execute(
            text(
                "WITH gone AS (DELETE FROM deliveries WHERE id = :id RETURNING *)"
                " INSERT INTO delivery_log (workspace_id, id, finished_at, event_id, endpoint_id, state, attempts,"
                " last_status, last_failure, created_at) SELECT workspace_id, id, now(), event_id, endpoint_id, :state,"
                " 10, 500, 'bad_status', created_at FROM gone"
            ),
            {"id": delivery, "state": state},
        )


async def test_a_strangers_delivery_is_not_found(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    delivery = await a_delivery(engine, alice, await create(alice))
    for state in (None, "exhausted"):
        if state:
            await finish(engine, delivery, state)
        for reply in (
            await charlie.api.get(f"/v1/deliveries/{shown('delivery', delivery)}"), await retry(charlie, delivery),
        ):  # fmt: skip
            assert (reply.status_code, reply.json()["code"]) == (404, "delivery_not_found")


async def test_pending_and_finished_are_one_list(alice: Tenant, engine: Engine) -> None:
    endpoint, other = await create(alice), await create(alice)
    made = sorted([await a_delivery(engine, alice, endpoint) for _ in range(5)], reverse=True)
    await a_delivery(engine, alice, other)
    await finish(engine, made[1], "delivered")
    await finish(engine, made[4], "exhausted")
    place = f"/v1/deliveries?endpoint_id={endpoint['id']}"
    first = (await alice.api.get(f"{place}&limit=3")).json()
    second = (await alice.api.get(f"{place}&limit=3&cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in first["data"] + second["data"]] == [shown("delivery", one) for one in made]
    assert [one["state"] for one in first["data"]] == ["pending", "delivered", "pending"]
    assert second["next_cursor"] is None
    pending = (await alice.api.get(f"{place}&state=pending")).json()["data"]
    assert len(pending) == 3
    exhausted = (await alice.api.get(f"{place}&state=exhausted")).json()["data"]
    assert [one["id"] for one in exhausted] == [shown("delivery", made[4])]
    of_event = (await alice.api.get(f"{place}&event_id={first['data'][1]['event_id']}")).json()["data"]
    assert of_event == [first["data"][1]]


async def test_a_failure_says_what_to_do(alice: Tenant, engine: Engine) -> None:
    delivery = await a_delivery(engine, alice, await create(alice), last_failure="tls_failed", attempts=1)
    shown_ = await read(alice, delivery)
    assert (shown_["last_failure"], shown_["last_status"]) == ("tls_failed", None)
    assert "certificate" in shown_["last_failure_hint"]


async def test_attempts_show_the_head_of_the_reply_as_text(alice: Tenant, engine: Engine) -> None:
    delivery = await a_delivery(engine, alice, await create(alice))
    async with engine.write() as tx:
        await tx.execute(
            text(
                "INSERT INTO delivery_attempts (workspace_id, delivery_id, number, started_at, endpoint_id,"
                " duration_ms, status, failure, reply_head) VALUES (:w, :d, 1, now(), :w, 12, 500, 'bad_status', :head)"
            ),
            {"w": alice.workspace_id, "d": delivery, "head": b"caf\xc3\xa9 \xff\x00"},
        )
    (attempt,) = (await read(alice, delivery))["attempts"]
    assert attempt["reply_head"] == "café ��"
    assert (attempt["number"], attempt["duration_ms"], attempt["status"]) == (1, 12, 500)


async def test_a_pending_delivery_can_be_hurried(alice: Tenant, engine: Engine) -> None:
    later = datetime(2999, 1, 1, tzinfo=UTC)
    delivery = await a_delivery(engine, alice, await create(alice), due_at=later, step=4, attempts=4)
    reply = await retry(alice, delivery)
    assert reply.status_code == 202
    assert reply.json()["next_attempt_at"] < "2999"
    (row,) = await rows(engine, "SELECT step, attempts FROM deliveries WHERE id = :id", id=delivery)
    assert row == {"step": 0, "attempts": 4}


async def test_a_finished_delivery_comes_back_from_the_log(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice)
    for state in ("delivered", "exhausted", "cancelled"):
        delivery = await a_delivery(engine, alice, endpoint)
        await finish(engine, delivery, state)
        assert (await retry(alice, delivery)).json()["state"] == "pending"
        (row,) = await rows(engine, "SELECT step, attempts, claim_id FROM deliveries WHERE id = :id", id=delivery)
        assert row == {"step": 0, "attempts": 10, "claim_id": None}
        assert await rows(engine, "SELECT id FROM delivery_log WHERE id = :id", id=delivery) == []
    due = "SELECT due_at <= now() AS due FROM endpoint_work WHERE endpoint_id = :id"
    work = await rows(engine, due, id=uuid_of(endpoint))
    assert work == [{"due": True}]


async def test_an_attempt_under_way_is_left_alone(alice: Tenant, engine: Engine) -> None:
    later = datetime(2999, 1, 1, tzinfo=UTC)
    delivery = await a_delivery(engine, alice, await create(alice), due_at=later, claim_id=uuid4())
    reply = await retry(alice, delivery)
    assert (reply.status_code, reply.json()["code"]) == (409, "delivery_under_way")
    assert (await read(alice, delivery))["next_attempt_at"] is None


async def test_of_a_disabled_endpoint_nothing_is_next(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice)
    delivery = await a_delivery(engine, alice, endpoint)
    assert (await read(alice, delivery))["next_attempt_at"] is not None
    assert (await alice.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/disable")).status_code == 200
    assert (await read(alice, delivery))["next_attempt_at"] is None
    assert (await alice.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/enable", json={})).status_code == 200
    assert (await read(alice, delivery))["next_attempt_at"] is not None


async def test_of_a_paused_endpoint_nothing_is_tried_before_the_pause_is_over(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice)
    past, later = datetime(2020, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)
    early, late = [await a_delivery(engine, alice, endpoint, due_at=at) for at in (past, later)]
    until = await paused(engine, alice, endpoint)
    assert instant((await read(alice, early))["next_attempt_at"]) == until
    assert instant((await read(alice, late))["next_attempt_at"]) == later
    listed = (await alice.api.get(f"/v1/deliveries?endpoint_id={endpoint['id']}")).json()["data"]
    assert {instant(one["next_attempt_at"]) for one in listed} == {until, later}


async def paused(engine: Engine, tenant: Tenant, endpoint: dict[str, Any]) -> datetime:
    """Until when."""
    until = datetime.now(UTC) + timedelta(minutes=5)
    failure = {"failures": 7, "failing_since": until, "last_failed_at": until, "last_failure": "timeout"}
    row = {"workspace_id": tenant.workspace_id, "endpoint_id": uuid_of(endpoint), "paused_until": until, **failure}
    async with engine.write() as tx:
        await tx.execute(insert(endpoint_health).values(row))
    return until


def instant(shown: str) -> datetime:
    return datetime.fromisoformat(shown)


async def test_without_its_event_nothing_can_be_sent(alice: Tenant, engine: Engine) -> None:
    delivery = await a_delivery(engine, alice, await create(alice))
    await finish(engine, delivery, "exhausted")
    async with engine.write() as tx:
        await tx.execute(text("DELETE FROM events WHERE workspace_id = :id"), {"id": alice.workspace_id})
    reply = await retry(alice, delivery)
    assert (reply.status_code, reply.json()["code"]) == (409, "delivery_expired")


async def search(tenant: Tenant, **wanted: Any) -> list[str]:
    reply = await tenant.api.get("/v1/deliveries", params=wanted)
    assert reply.status_code == 200, reply.text
    return [one["id"] for one in reply.json()["data"]]


async def test_deliveries_of_all_endpoints_are_searched(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    endpoint, other = await create(alice), await create(alice)
    old = await a_delivery(engine, alice, endpoint, id=new_id(noon))
    new = await a_delivery(engine, alice, other, id=new_id(noon + timedelta(hours=1)))
    dead = await a_delivery(engine, alice, endpoint, id=new_id(noon + timedelta(hours=2)))
    await finish(engine, dead, "exhausted")
    ids = {name: shown("delivery", one) for name, one in {"old": old, "new": new, "dead": dead}.items()}
    assert await search(alice) == [ids["dead"], ids["new"], ids["old"]]
    assert await search(alice, endpoint_id=endpoint["id"]) == [ids["dead"], ids["old"]]
    assert await search(alice, state="exhausted") == [ids["dead"]]
    assert await search(alice, since="2026-03-01T13:00:00Z", until="2026-03-01T14:00:00Z") == [ids["new"]]
    assert await search(alice, since="2026-03-01T14:00:00Z") == [ids["dead"]]
    assert await search(charlie) == []


async def test_deliveries_are_found_by_the_person_they_are_about(alice: Tenant, engine: Engine) -> None:
    person = {"external_id": "4711", "email": "ada@example.com"}
    recipient = (await alice.api.post("/v1/recipients", json=person)).json()
    endpoint = await create(alice)
    about_her = await a_delivery(engine, alice, endpoint)
    await a_delivery(engine, alice, endpoint)
    async with engine.write() as tx:
        await tx.execute(
            text(
                "UPDATE events SET recipient_id = :recipient WHERE id ="
                " (SELECT event_id FROM deliveries WHERE id = :delivery)"
            ),
            {"recipient": parsed("recipient", recipient["id"]), "delivery": about_her},
        )
    for wanted in ({"recipient_id": recipient["id"]}, {"external_id": "4711"}, {"email": "Ada@example.com"}):
        assert await search(alice, **wanted) == [shown("delivery", about_her)], wanted
    assert await search(alice, external_id="4712") == []
    assert await search(alice, external_id="4711", email="bob@example.com") == []


async def cancel(tenant: Tenant, delivery: UUID) -> Any:
    return await tenant.api.post(f"/v1/deliveries/{shown('delivery', delivery)}/cancel")


async def test_a_pending_delivery_can_be_cancelled_and_tried_after_all(alice: Tenant, engine: Engine) -> None:
    delivery = await a_delivery(engine, alice, await create(alice))
    cancelled = await cancel(alice, delivery)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = await cancel(alice, delivery)
    assert (again.status_code, again.json()["code"]) == (409, "delivery_finished")
    assert (await retry(alice, delivery)).json()["state"] == "pending"


async def test_what_is_under_way_or_a_strangers_is_not_cancelled(
    alice: Tenant, charlie: Tenant, engine: Engine
) -> None:
    later = datetime(2999, 1, 1, tzinfo=UTC)
    under_way = await a_delivery(engine, alice, await create(alice), due_at=later, claim_id=uuid4())
    assert (await cancel(alice, under_way)).json()["code"] == "delivery_under_way"
    waiting = await a_delivery(engine, alice, await create(alice))
    assert (await cancel(charlie, waiting)).status_code == 404
    assert (await read(alice, waiting))["state"] == "pending"
