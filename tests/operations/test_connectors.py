from datetime import datetime
from uuid import UUID

import pytest

from app.api.webhook_models import WebhookEndpointCreate
from app.db.engine import Engine, Tx
from app.db.vault import CannotOpenSecret, Vault
from app.domain.connectors.catalogue import EndpointKind
from app.domain.webhooks.addresses import Guard
from app.operations.connectors import create_connector
from app.operations.reseal import reseal_secrets
from app.operations.workspaces import create_workspace
from app.queries.check_secrets import check_secrets
from tests.builders import rows
from tests.queries.test_check_secrets import NEW, OLD

URL = "https://hooks.slack.com/services/T0/B0/x"


async def connect(tx: Tx, vault: Vault, *, now: datetime) -> UUID:
    workspace_id = (await create_workspace(tx, "Alice", time_zone="UTC", now=now)).live_id
    fields = WebhookEndpointCreate(kind=EndpointKind.SLACK).columns()
    return await create_connector(
        tx, vault, workspace_id, fields, settings={"url": URL}, guard=Guard.read(""), now=now
    )  # fmt: skip


async def test_a_key_that_only_a_connector_needs_is_missed_at_the_start(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        await connect(tx, Vault([OLD]), now=now)
        await check_secrets(tx, Vault([NEW, OLD]), now=now)
        with pytest.raises(CannotOpenSecret):
            await check_secrets(tx, Vault([NEW]), now=now)


async def test_a_new_key_seals_what_connectors_know_anew(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        await connect(tx, Vault([OLD]), now=now)
        assert await reseal_secrets(tx, Vault([NEW, OLD])) == 1
    (row,) = await rows(own_engine, "SELECT workspace_id, id, credentials FROM webhook_endpoints")
    opened = Vault([NEW]).open(bytes(row["credentials"]), workspace_id=row["workspace_id"], row_id=row["id"])
    assert URL in opened
