"""What a request refers to goes, or comes, while it is under way: no mistake of ours, and no 500."""

import asyncio
from datetime import UTC, datetime

from fastapi import FastAPI

from app.db.engine import Engine
from app.db.statements import fetch
from app.domain import ids
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.operations.mail_sources import SnsPost, delete_source, drop_sns_post, keep_sns_post, note_heard, pin_topic
from app.operations.webhook_endpoints import disable_endpoint
from tests.api.test_mail_sources import a_source, post
from tests.builders import rows
from tests.conftest import Tenant
from tests.races import begun, unhindered
from tests.workers.scene import until

NOW = datetime.now(UTC)


async def somebody_waits(engine: Engine) -> bool:
    return bool(await rows(engine, "SELECT 1 FROM pg_locks WHERE NOT granted"))


async def test_a_source_that_is_deleted_takes_what_it_posts_at_that_moment_with_it(
    engine: Engine, alice: Tenant
) -> None:
    place = alice.workspace_id, ids.parsed("mail_source", (await a_source(alice, "ses"))["id"])
    async with engine.write() as tx:
        await note_heard(tx, *place, now=NOW)
        await keep_sns_post(tx, *place, body="{}", now=NOW)
        deleting = await begun(engine, lambda tx: delete_source(tx, *place))
    await deleting
    assert await rows(engine, "SELECT 1 FROM sns_posts WHERE source_id = :id", id=place[1]) == []


async def test_a_post_of_a_source_that_is_being_deleted_is_a_strangers(
    app: FastAPI, engine: Engine, alice: Tenant
) -> None:
    source = await a_source(alice, "ses")
    async with engine.write() as tx:
        await delete_source(tx, alice.workspace_id, ids.parsed("mail_source", source["id"]))
        posting = asyncio.create_task(post(app, source, {}))
        await until(lambda: somebody_waits(engine))
    assert (await posting).status_code == 401


async def test_who_looks_into_a_post_and_who_deletes_its_source_do_not_wait_in_a_circle(
    engine: Engine, alice: Tenant
) -> None:
    place = alice.workspace_id, ids.parsed("mail_source", (await a_source(alice, "ses"))["id"])
    async with engine.write() as tx:
        await keep_sns_post(tx, *place, body="{}", now=NOW)
    (row,) = await rows(engine, "SELECT id FROM sns_posts WHERE source_id = :id", id=place[1])
    sns_post = SnsPost(place[0], row["id"], place[1], "{}", None, NOW)
    async with unhindered(engine) as tx:
        await pin_topic(tx, sns_post, "arn:aws:sns:eu-central-1:123456789012:bounces")
        deleting = await begun(engine, lambda tx: delete_source(tx, *place))
        await drop_sns_post(tx, sns_post)
    await deleting


async def test_a_connector_is_renewed_while_its_last_attempts_end(engine: Engine, alice: Tenant) -> None:
    settings = {"base_url": "https://crm.example.com", "token": "old"}
    reply = await alice.api.post("/v1/webhook-endpoints", json={"kind": "hubspot", "settings": settings})
    assert reply.status_code == 201, reply.text
    endpoint = ids.parsed("endpoint", reply.json()["id"])
    async with engine.write() as tx:
        await disable_endpoint(tx, alice.workspace_id, endpoint, reason=DisabledReason.UNAUTHORIZED, now=NOW)
    async with engine.write() as tx:
        await fetch(tx, _FAILED, alice.workspace_id, endpoint)
        renewed = {"settings": {"token": "new"}}
        changing = asyncio.create_task(alice.api.patch(f"/v1/webhook-endpoints/{reply.json()['id']}", json=renewed))
        await until(lambda: somebody_waits(engine))
    changed = await changing
    assert changed.status_code == 200, changed.text
    assert changed.json()["state"] == "enabled"


_FAILED = """
    INSERT INTO endpoint_health (workspace_id, endpoint_id, failures, failing_since, last_failed_at, last_failure)
    VALUES ($1, $2, 1, now(), now(), 'unauthorized')
"""
