"""A workspace in which things have happened: endpoints well and unwell, and deliveries in every state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import deliveries, delivery_attempts, delivery_log, endpoint_health, events
from app.domain.ids import parsed
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.operations.webhook_endpoints import disable_endpoint
from tests.conftest import Tenant

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \u202etxet desrever &amp; \"'"
REPLY = b'{"error": "upstream timed out", "trace": "<b>not bold</b>"}'


@dataclass(frozen=True)
class Scenery:
    healthy: UUID
    unsteady: UUID
    gone: UUID
    quiet: UUID
    delivered: UUID
    exhausted: UUID
    pending: UUID

    @property
    def endpoints(self) -> list[UUID]:
        return [self.healthy, self.unsteady, self.gone, self.quiet]


async def furnish(engine: Engine, tenant: Tenant, now: datetime, *, text: str = "Two weeks late.") -> Scenery:
    stage = Stage(engine, tenant, now, text)
    healthy = await stage.endpoint("https://hooks.crm.example/zeroten/v2?team=success", description="Customer desk")
    unsteady = await stage.endpoint(
        "https://chat.example/services/T024/B881/incoming", description="Chat, #voice-of-customer",
        event_types=["response.detractor", "response.promoter"], highest_score=6,
    )  # fmt: skip
    gone = await stage.endpoint("https://old-shop.example/nps", description=None)
    quiet = await stage.endpoint("https://warehouse.example/ingest", description="Data warehouse", delay_seconds=60)
    for minutes in range(3, 40, 6):
        await stage.delivery(healthy, "delivered", minutes, [(200, None, 84)])
    delivered = await stage.delivery(healthy, "delivered", 2, [(503, "bad_status", 2210), (200, None, 96)])
    for minutes in range(9, 60, 9):
        await stage.delivery(unsteady, "delivered", minutes, [(None, "timeout", 15_000), (204, None, 340)])
    exhausted = await stage.delivery(unsteady, "exhausted", 600, [(502, "bad_status", 130)] * 10)
    pending = await stage.delivery(unsteady, "pending", 4, [(None, "tls_failed", 310), (None, "tls_failed", 290)])
    await stage.delivery(unsteady, "cancelled", 90, [])
    for minutes in (30, 20, 11):
        await stage.delivery(gone, "exhausted", minutes, [(410, "gone", 45)])
    await stage.disable(gone)
    await stage.pause(unsteady)
    return Scenery(healthy, unsteady, gone, quiet, delivered, exhausted, pending)


class Stage:
    def __init__(self, engine: Engine, tenant: Tenant, now: datetime, text: str, *, about: UUID | None = None) -> None:
        self.engine, self.tenant, self.now, self.text, self.about = engine, tenant, now, text, about

    async def endpoint(self, url: str, **fields: Any) -> UUID:
        reply = await self.tenant.api.post("/v1/webhook-endpoints", json={"url": url, **fields})
        assert reply.status_code == 201, reply.text
        found = parsed("endpoint", reply.json()["id"])
        assert found is not None
        return found

    async def disable(self, endpoint_id: UUID) -> None:
        """As a 410 does."""
        async with self.engine.write() as tx:
            await disable_endpoint(tx, self.tenant.workspace_id, endpoint_id, reason=DisabledReason.GONE, now=self.now)

    async def pause(self, endpoint_id: UUID) -> None:
        """As the breaker does."""
        since = self.now - timedelta(minutes=3)
        row = {
            "workspace_id": self.tenant.workspace_id, "endpoint_id": endpoint_id, "failures": 6, "failing_since": since,
            "last_failed_at": since, "last_failure": "tls_failed", "paused_until": self.now + timedelta(minutes=2),
        }  # fmt: skip
        async with self.engine.write() as tx:
            await tx.execute(insert(endpoint_health).values(row))

    async def delivery(
        self, endpoint_id: UUID, state: str, minutes_ago: int, attempts: list[tuple[int | None, str | None, int]]
    ) -> UUID:
        """`attempts`: (status, failure, duration in milliseconds), oldest first."""
        at, workspace_id = self.now - timedelta(minutes=minutes_ago), self.tenant.workspace_id
        delivery_id, event_id = new_id(at), new_id(at)
        status, failure, _ = attempts[-1] if attempts else (None, None, 0)
        row = {
            "workspace_id": workspace_id, "id": delivery_id, "event_id": event_id, "endpoint_id": endpoint_id,
            "attempts": len(attempts), "last_status": status, "last_failure": failure, "created_at": at,
        }  # fmt: skip
        made = [
            {
                "workspace_id": workspace_id, "delivery_id": delivery_id, "endpoint_id": endpoint_id, "number": number,
                "started_at": at + timedelta(seconds=20 * number), "duration_ms": duration_ms, "status": status,
                "failure": failure, "reply_head": b"" if status in {None, 204} else REPLY if failure else b"ok",
            }
            for number, (status, failure, duration_ms) in enumerate(attempts, 1)
        ]  # fmt: skip
        async with self.engine.write() as tx:
            await tx.execute(insert(events).values(self._event(event_id, at)))
            if state == "pending":
                await tx.execute(insert(deliveries).values(**row, due_at=self.now + timedelta(minutes=26)))
            else:
                await tx.execute(insert(delivery_log).values(**row, state=state, finished_at=at))
            if made:
                await tx.execute(insert(delivery_attempts).values(made))
        return delivery_id

    def _event(self, event_id: UUID, at: datetime) -> dict[str, Any]:
        response = {"score": 3, "band": "detractor", "comment": self.text, "channel": "email", "revision": 1}
        person = {"external_id": "u-77", "name": "Kim Sample", "properties": {"plan": "pro", "seats": 12}}
        return {
            "workspace_id": self.tenant.workspace_id, "id": event_id, "type": "response.created", "occurred_at": at,
            "created_at": at, "schema_version": 1, "band": "detractor", "recipient_id": self.about,
            "body": {"response": {**response, "recipient": person}},
        }  # fmt: skip
