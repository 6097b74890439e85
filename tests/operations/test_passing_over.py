"""Chores over many rows pass over what somebody holds, and decide only about what they hold themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.db.vault import Vault
from app.domain import ids
from app.domain.webhooks.addresses import Guard
from app.operations.deliveries.health import Finding, note_health
from app.operations.failing_endpoints import disable_failing_endpoints
from app.operations.responses.forget_keys import forget_response_keys
from app.operations.webhook_endpoints import change_endpoint
from tests.builders import a_campaign, an_answer, rows
from tests.conftest import SECRET_KEYS, Tenant
from tests.races import begun, unhindered

NOW = datetime.now(UTC)
LOCK_ANSWER = "SELECT 1 FROM responses WHERE id = $1 FOR UPDATE"


async def with_key(engine: Engine, answers: list[UUID]) -> list[UUID]:
    """Those that have one."""
    found = await rows(
        engine, "SELECT id FROM responses WHERE id = ANY(:ids) AND idempotency_key IS NOT NULL ORDER BY id", ids=answers
    )
    return [row["id"] for row in found]


async def test_keys_are_forgotten_without_waiting_for_who_holds_an_answer(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    answers = list[Any]()
    for number in range(2):
        key = {"Idempotency-Key": f"key {number}"}
        reply = await alice.api.post("/v1/responses", json=an_answer(campaign), headers=key)
        answers.append(ids.parsed("response", reply.json()["id"]))
    async with engine.write() as tx:  # by their keys the second comes first
        for number, answer in enumerate(answers):
            await fetch(tx, "UPDATE responses SET idempotency_key = $2 WHERE id = $1", answer, UUID(int=2 - number))
    later = NOW + timedelta(days=2)
    async with unhindered(engine) as tx:
        await fetch(tx, LOCK_ANSWER, answers[0])
        forgetting = await begun(engine, lambda tx: forget_response_keys(tx, now=later))
        await fetch(tx, LOCK_ANSWER, answers[1])
    await forgetting
    assert await with_key(engine, answers) == answers[:1]
    async with engine.write() as tx:
        await forget_response_keys(tx, now=later)
    assert await with_key(engine, answers) == []


async def test_an_endpoint_that_is_told_to_send_elsewhere_is_not_disabled_for_what_was(
    engine: Engine, alice: Tenant
) -> None:
    reply = await alice.api.post("/v1/webhook-endpoints", json={"url": "https://old.example.com/hook"})
    endpoint = ids.parsed("endpoint", reply.json()["id"])
    place, guard, vault = (alice.workspace_id, endpoint), Guard.read("", allow_loopback=False), Vault.read(SECRET_KEYS)
    async with engine.write() as tx:
        await fetch(tx, _FAILING, *place)
    async with engine.write() as tx:
        url = {"url": "https://new.example.com/hook"}
        await change_endpoint(tx, *place, url, guard=guard, vault=vault, now=NOW)
        disabling = await begun(engine, lambda tx: disable_failing_endpoints(tx, now=NOW))
    await disabling
    (row,) = await rows(engine, "SELECT disabled_at FROM webhook_endpoints WHERE id = :id", id=endpoint)
    assert row["disabled_at"] is None


_FAILING = """
    INSERT INTO endpoint_health
        (workspace_id, endpoint_id, failures, failing_since, last_failed_at, last_failure, warned_at)
    VALUES ($1, $2, 99, now() - interval '9 days', now(), 'timeout', now() - interval '8 days')
"""


async def test_endpoints_that_recover_are_taken_in_the_order_of_their_ids(engine: Engine, alice: Tenant) -> None:
    endpoints = sorted(new_id(NOW) for _ in range(2))
    async with engine.write() as tx:
        for one in endpoints:
            await fetch(tx, _FAILING, alice.workspace_id, one)
    recovered = [Finding(alice.workspace_id, one, 0, None) for one in reversed(endpoints)]
    lock = "SELECT 1 FROM endpoint_health WHERE endpoint_id = $1 FOR UPDATE"
    async with unhindered(engine) as tx:
        await fetch(tx, lock, endpoints[0])
        noting = await begun(engine, lambda tx: note_health(tx, recovered))
        await fetch(tx, lock, endpoints[1])
    await noting
    assert await rows(engine, "SELECT 1 FROM endpoint_health WHERE endpoint_id = ANY(:ids)", ids=endpoints) == []
