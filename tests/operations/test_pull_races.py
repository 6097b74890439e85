"""A pull that is removed while a page of it is being kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.engine import Engine, Tx
from app.db.statements import fetch
from app.domain import ids
from app.domain.connectors.pages import Page, Place, Record
from app.operations.import_uploads import abandon_upload
from app.operations.pulls import ClaimedPull, PullTakenOver, claim_pull, keep_page
from tests.builders import rows
from tests.conftest import Tenant, a_tenant, running_app
from tests.races import begun, unhindered

NOW = datetime.now(UTC)
REMOVE = "DELETE FROM pulls WHERE endpoint_id = $1 RETURNING import_id"


async def keep(tx: Tx, claimed: ClaimedPull) -> None:
    page = Page([Record("7", {"email": "ada@example.com"})], Place.read(None), is_last=False)
    await keep_page(tx, claimed, page, reads_companies=False, overlap=timedelta(0), now=NOW)


async def claimed_in(engine: Engine) -> ClaimedPull:
    async with engine.write() as tx:
        claimed = await claim_pull(tx, lease_seconds=60)
    assert claimed is not None
    return claimed


async def test_whoever_removes_it_does_not_wait_for_who_reads_on(own_database_url: str, own_engine: Engine) -> None:
    engine = own_engine
    async with running_app(own_database_url) as app, a_tenant(app, engine, "Alice") as alice:
        endpoint = await a_pull(alice)
    async with engine.write() as tx:
        await keep(tx, await claimed_in(engine))
    second = await claimed_in(engine)
    async with unhindered(engine) as tx:
        (removed,) = await fetch(tx, REMOVE, endpoint)
        keeping = await begun(engine, lambda tx: keep(tx, second))
        await abandon_upload(tx, alice.workspace_id, removed["import_id"])
    with pytest.raises(PullTakenOver):
        await keeping
    assert await rows(engine, "SELECT 1 FROM imports") == []


async def a_pull(alice: Tenant) -> Any:
    settings = {"base_url": "https://crm.example.com", "token": "secret"}
    reply = await alice.api.post("/v1/webhook-endpoints", json={"kind": "hubspot", "settings": settings})
    assert reply.status_code == 201, reply.text
    place = f"/v1/webhook-endpoints/{reply.json()['id']}/pull"
    assert (await alice.api.put(place, json={})).status_code == 200
    return ids.parsed("endpoint", reply.json()["id"])
