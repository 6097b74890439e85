"""What a key may no longer do, it may do in no process: each remembers keys for a moment, and on its own."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.crash.programs import running
from tests.end_to_end.crash.stage import Stage, free_port

pytestmark = pytest.mark.slow

PROMISED_SECONDS = 5.0
EXPIRES_SECONDS = 2.0
PATIENCE_SECONDS = 20.0


async def test_a_key_that_ends_ends_in_every_process(stage: Stage) -> None:
    port = free_port()
    addresses = [stage.url, f"http://127.0.0.1:{port}"]
    async with running(stage.another_api(port)), stage.session() as session:
        expires_at = datetime.now(UTC) + timedelta(seconds=EXPIRES_SECONDS)
        revoked, expiring = await a_key(session), await a_key(session, expires_at=expires_at.isoformat())
        for key in (revoked, expiring):
            assert [await status(session, address, key["token"]) for address in addresses] == [200, 200]
        async with session.delete(f"/v1/api-keys/{revoked['id']}") as reply:
            assert reply.status == 204
        revoked_at = monotonic()
        here_and_there = [refused(session, address, revoked["token"]) for address in addresses]
        later = [refused(session, address, expiring["token"]) for address in addresses]
        *_, (first, _), (second, _) = ends = await asyncio.gather(*here_and_there, *later)
    assert all(at - revoked_at < PROMISED_SECONDS for _, at in ends[:2])
    assert all(expires_at <= when < expires_at + timedelta(seconds=1) for when in (first, second))


async def a_key(session: aiohttp.ClientSession, **fields: str) -> dict[str, Any]:
    body = {"name": "short", "scopes": ["workspace:read"], **fields}
    async with session.post("/v1/api-keys", json=body) as reply:
        assert reply.status == 201, await reply.text()
        return dict(await reply.json())


async def refused(session: aiohttp.ClientSession, address: str, token: str) -> tuple[datetime, float]:
    """When the key was first refused, on both clocks; it is in use all the time until then."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await status(session, address, token) != 401:
            pass
    return datetime.now(UTC), monotonic()


async def status(session: aiohttp.ClientSession, address: str, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    async with session.get(f"{address}/v1/workspace", headers=headers) as reply:
        assert reply.status in {200, 401}
        return reply.status
