from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update

from app.db.engine import Engine, Tx
from app.db.identifiers import new_id
from app.db.tables import endpoint_secrets, webhook_endpoints
from app.db.vault import CannotOpenSecret, Vault
from app.operations.workspaces import create_workspace
from app.queries.check_secrets import check_secrets
from tests.conftest import running_app

OLD, NEW = b"o" * 32, b"n" * 32


async def store(tx: Tx, vault: Vault, *, now: datetime, expires_at: datetime | None = None) -> None:
    workspace = (await create_workspace(tx, "Alice", time_zone="UTC", now=now)).live_id
    endpoint, row = new_id(now), new_id(now)
    await tx.execute(
        insert(webhook_endpoints).values(workspace_id=workspace, id=endpoint, url="https://receiver.example/")
    )
    sealed = vault.seal("whsec_x", workspace_id=workspace, row_id=row)
    await tx.execute(
        insert(endpoint_secrets).values(
            workspace_id=workspace, endpoint_id=endpoint, id=row, ciphertext=sealed, expires_at=expires_at
        )
    )


async def test_keys_that_open_everything_pass(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        await store(tx, Vault([OLD]), now=now)
        await store(tx, Vault([NEW]), now=now)
        await check_secrets(tx, Vault([NEW, OLD]), now=now)


async def test_one_missing_key_is_found_behind_newer_secrets_of_another(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        await store(tx, Vault([OLD]), now=now)
        await store(tx, Vault([NEW]), now=now)
        with pytest.raises(CannotOpenSecret):
            await check_secrets(tx, Vault([NEW]), now=now)


async def test_an_old_key_may_go_once_no_secret_in_use_needs_it(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        await store(tx, Vault([OLD]), now=now, expires_at=now - timedelta(seconds=1))
        await check_secrets(tx, Vault([NEW]), now=now)
        await store(tx, Vault([OLD]), now=now)
        await tx.execute(update(webhook_endpoints).values(deleted_at=now))
        await check_secrets(tx, Vault([NEW]), now=now)


async def test_a_database_before_its_migration_has_no_secrets(server_url: str, now: datetime) -> None:
    engine = Engine(server_url)
    try:
        async with engine.read() as tx:
            await check_secrets(tx, Vault([]), now=now)
    finally:
        await engine.close()


async def test_the_api_does_not_start_over_secrets_it_cannot_open(
    own_engine: Engine, own_database_url: str, now: datetime
) -> None:
    async with own_engine.write() as tx:
        await store(tx, Vault([OLD]), now=now)
    with pytest.raises(CannotOpenSecret):
        async with running_app(own_database_url):
            pass
