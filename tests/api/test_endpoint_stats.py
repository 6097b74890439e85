"""How an endpoint is doing, read from the attempts that were made."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from app.db.engine import Engine
from app.db.tables import delivery_attempts
from app.queries.endpoint_stats import MOST_ATTEMPTS
from tests.api.test_webhook_endpoints import PLACE, a_delivery, create, uuid_of
from tests.conftest import Tenant


async def stats(tenant: Tenant, endpoint: dict[str, Any]) -> dict[str, Any]:
    reply = await tenant.api.get(f"{PLACE}/{endpoint['id']}/stats")
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def attempts(engine: Engine, tenant: Tenant, endpoint_id: UUID, made: list[dict[str, Any]]) -> None:
    place = {"workspace_id": tenant.workspace_id, "endpoint_id": endpoint_id, "number": 1, "failure": None}
    async with engine.write() as tx:
        await tx.execute(insert(delivery_attempts), [{**place, "delivery_id": uuid4(), **one} for one in made])


async def test_without_attempts_there_is_no_rate(alice: Tenant) -> None:
    found = await stats(alice, await create(alice))
    assert (found["attempt_count"], found["success_rate"], found["p50_ms"], found["p99_ms"]) == (0, None, None, None)
    assert (found["backlog"], found["oldest_pending_at"]) == (0, None)


async def test_the_last_day_is_summed_up(alice: Tenant, engine: Engine, now: datetime) -> None:
    endpoint, other = await create(alice), await create(alice)
    made = [{"started_at": now - timedelta(hours=1), "duration_ms": number} for number in range(1, 101)]
    failed = [{**one, "failure": "timeout"} for one in made[:25]]
    old = [{"started_at": now - timedelta(hours=25), "duration_ms": 9_999}]
    await attempts(engine, alice, uuid_of(endpoint), failed + made[25:] + old)
    await attempts(engine, alice, uuid_of(other), [{**made[0], "failure": "timeout"}])
    waiting_since = now - timedelta(hours=3)
    await a_delivery(engine, alice, endpoint, created_at=waiting_since)
    await a_delivery(engine, alice, endpoint)
    found = await stats(alice, endpoint)
    assert (found["attempt_count"], found["delivered_count"], found["success_rate"]) == (100, 75, 0.75)
    assert (found["p50_ms"], found["p99_ms"]) == (50.5, 99.01)
    assert found["backlog"] == 2
    assert datetime.fromisoformat(found["oldest_pending_at"]) == waiting_since


async def test_of_a_busy_endpoint_the_latest_attempts_speak(alice: Tenant, engine: Engine, now: datetime) -> None:
    endpoint = await create(alice)
    early, late = now - timedelta(hours=2), now - timedelta(hours=1)
    made = [{"started_at": late, "duration_ms": 5}] * MOST_ATTEMPTS
    await attempts(engine, alice, uuid_of(endpoint), [{"started_at": early, "duration_ms": 999}, *made])
    found = await stats(alice, endpoint)
    assert (found["attempt_count"], found["p99_ms"]) == (MOST_ATTEMPTS, 5)
    assert datetime.fromisoformat(found["since"]) == late


async def test_a_strangers_endpoint_has_no_statistics(alice: Tenant, charlie: Tenant) -> None:
    reply = await charlie.api.get(f"{PLACE}/{(await create(alice))['id']}/stats")
    assert (reply.status_code, reply.json()["code"]) == (404, "webhook_endpoint_not_found")
