"""Consents on their way: whose code is exchanged when, and how long it is remembered."""

from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import Engine
from app.db.statements import fetch
from app.db.vault import Vault
from app.domain.webhooks.addresses import Guard
from app.operations.authorizations import begin_authorization, claim_authorization, forget_authorizations
from app.operations.workspaces import create_workspace
from tests.builders import rows

VAULT = Vault([b"v" * 32])
APP = {"client_id": "app", "client_secret": "verysecret"}


async def came_back(engine: Engine, workspace_id: UUID, *, now: datetime) -> UUID:
    """Somebody consented; the code is due to be exchanged."""
    async with engine.write() as tx:
        begun = await begin_authorization(
            tx, VAULT, workspace_id, kind="hubspot", settings=APP, redirect_url="https://nps.example/oauth/callback",
            guard=Guard(), now=now,
        )  # fmt: skip
        await fetch(tx, "UPDATE authorizations SET state = 'exchanging', due_at = now() WHERE id = $1", begun)
    return begun


async def test_a_workspace_whose_service_is_slow_holds_up_only_itself(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        made = await create_workspace(tx, "Northwind", time_zone="UTC", now=now)
    for workspace_id in (made.live_id, made.live_id, made.live_id, made.test_id):
        await came_back(own_engine, workspace_id, now=now)
    claimed = []
    for _ in range(3):
        async with own_engine.write() as tx:
            claimed.append(await claim_authorization(tx, lease_seconds=60))
    assert [one and one.workspace_id for one in claimed] == [made.live_id, made.test_id, None]


async def test_what_is_over_is_forgotten_a_day_later(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        made = await create_workspace(tx, "Northwind", time_zone="UTC", now=now)
    await came_back(own_engine, made.live_id, now=now - timedelta(days=1, hours=1))
    kept = await came_back(own_engine, made.live_id, now=now)
    async with own_engine.write() as tx:
        assert await forget_authorizations(tx, now=now) == 1
        assert await forget_authorizations(tx, now=now) == 0
    assert [row["id"] for row in await rows(own_engine, "SELECT id FROM authorizations")] == [kept]
