"""A whole service in small: a database of its own, the API, receivers on loopback, and workers to start and kill."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from fastapi import FastAPI

from app.config import Settings
from app.db.engine import Engine
from app.workers.process import run_worker
from tests.conftest import SECRET_KEYS, Tenant
from tests.outbound.receivers import Receiver

QUICK = {"lease_seconds": 2.0, "least_lease_seconds": 1.0, "attempt_deadline_seconds": 0.8, "poll_seconds": 0.1}
LOOK_EVERY_SECONDS = 0.01  # often enough, and whoever is waited for gets the processor meanwhile


@dataclass
class Scene:
    app: FastAPI
    engine: Engine
    tenant: Tenant
    database: asyncpg.Connection  # to look, and to move the clock
    database_url: str
    workers: list["Worker"] = field(default_factory=list)

    async def endpoint(self, receiver: Receiver | str, **fields: Any) -> dict[str, Any]:
        url = receiver if isinstance(receiver, str) else receiver.url
        reply = await self.tenant.api.post("/v1/webhook-endpoints", json={"url": url, **fields})
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    async def answer(self, campaign_id: str, **fields: Any) -> dict[str, Any]:
        answer = {"campaign_id": campaign_id, "score": 9, **fields}
        reply = await self.tenant.api.post("/v1/responses", json=answer)
        assert reply.status_code in {200, 201}, reply.text
        return dict(reply.json())

    async def deliveries(self, endpoint: dict[str, Any], **filters: str) -> list[dict[str, Any]]:
        """With their attempts, newest first."""
        listed = await self.get("/v1/deliveries", endpoint_id=endpoint["id"], **filters)
        return [await self.get(f"/v1/deliveries/{delivery['id']}") for delivery in listed["data"]]

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        reply = await self.tenant.api.get(path, params=parameters)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        reply = await self.tenant.api.post(path, json=body or None)
        assert reply.is_success, reply.text
        return dict(reply.json())

    async def settled(self, endpoint: dict[str, Any], count: int = 1) -> list[dict[str, Any]]:
        """Waits until so many deliveries are finished."""

        async def are_finished() -> bool:
            return await self.database.fetchval(
                "SELECT count(*) >= $1 FROM delivery_log WHERE endpoint_id = $2::uuid", count, uuid_text(endpoint)
            )

        await until(are_finished)
        return await self.deliveries(endpoint)

    async def waiting_for_retry(self, endpoint: dict[str, Any], *, attempts: int = 1) -> dict[str, Any]:
        """Waits until a delivery has failed so often and is back in the queue."""

        async def has_failed() -> bool:
            return await self.database.fetchval(
                "SELECT count(*) = 1 FROM deliveries"
                " WHERE endpoint_id = $1::uuid AND attempts = $2 AND claim_id IS NULL",
                uuid_text(endpoint), attempts,
            )  # fmt: skip

        await until(has_failed)
        return (await self.deliveries(endpoint, state="pending"))[0]

    async def make_due(self) -> None:
        """As if the time had come for everything that waits for a retry."""
        await self.database.execute("UPDATE deliveries SET due_at = now() WHERE claim_id IS NULL")
        await self.database.execute("UPDATE endpoint_health SET paused_until = now()")
        await self.database.execute("UPDATE endpoint_work SET due_at = now()")

    def settings(self, **overrides: Any) -> Settings:
        return Settings(
            database_url=self.database_url, pool_size=2, receivers_allow_loopback=True,
            **{**QUICK, "secret_keys": SECRET_KEYS, **overrides},
        )  # fmt: skip

    def work(self, **overrides: Any) -> "Worker":
        worker = Worker(self.settings(**overrides))
        self.workers.append(worker)
        return worker


class Worker:
    def __init__(self, settings: Settings) -> None:
        self.settings, self._stop = settings, asyncio.Event()
        self.task = asyncio.create_task(run_worker(settings, stop=self._stop))

    async def stop(self) -> None:
        self._stop.set()
        await self.task

    async def kill(self) -> None:
        """At once, settling nothing."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - bounded; what is waited for rings no bell
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def arrived(receiver: Receiver, count: int = 1) -> list["Arrival"]:
    async def are_there() -> bool:
        await asyncio.sleep(0)
        return len(receiver.requests) >= count

    await until(are_there)
    return [Arrival(request) for request in receiver.requests]


class Arrival:
    def __init__(self, request: bytes) -> None:
        head, _, self.body = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.id = self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


def uuid_text(resource: dict[str, Any] | str) -> str:
    shown = resource if isinstance(resource, str) else resource["id"]
    return shown.partition("_")[2]


@asynccontextmanager
async def a_scene(app: FastAPI, engine: Engine, tenant: Tenant, database_url: str) -> AsyncIterator[Scene]:
    database = await asyncpg.connect(database_url)
    scene = Scene(app, engine, tenant, database, database_url)
    try:
        yield scene
    finally:
        for worker in scene.workers:
            await worker.kill()
        await database.close()
