"""What hangs on an event is changed only by who has the event: pruning, retries and replays begin with it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.db.engine import Engine, Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.domain import ids
from app.operations.deliveries.retry import lock_event
from app.operations.erasure import erase_recipient
from app.operations.responses.change import delete_response
from tests.builders import a_campaign, a_recipient, an_answer, rows
from tests.conftest import Tenant
from tests.races import begun, unhindered

NOW = datetime.now(UTC)
LOCK_DELIVERY = "SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE"


@pytest.mark.parametrize("going", ["the answer", "the person"])
async def test_a_retry_does_not_wait_for_who_forgets_what_was_told(engine: Engine, alice: Tenant, going: str) -> None:
    space = alice.workspace_id
    person = await a_recipient(engine, space)
    told = an_answer(await a_campaign(engine, space), recipient_id=person)
    answer = ids.parsed("response", (await alice.api.post("/v1/responses", json=told)).json()["id"])
    (event,) = await rows(engine, "SELECT id FROM events WHERE response_id = :id", id=answer)
    delivery = await frozen(engine, space, event["id"])
    acts: dict[str, Callable[[Tx], Awaitable[Any]]] = {
        "the answer": lambda tx: delete_response(tx, space, answer, now=NOW),  # type: ignore[arg-type]  # there is one
        "the person": lambda tx: erase_recipient(
            tx, space, ids.parsed("recipient", person), now=NOW, hmac_key=b"k" * 32  # type: ignore[arg-type]
        ),
    }  # fmt: skip
    async with unhindered(engine) as tx:
        assert await lock_event(tx, space, event["id"])
        forgetting = await begun(engine, acts[going])
        await fetch(tx, LOCK_DELIVERY, delivery)
    await forgetting
    (row,) = await rows(engine, "SELECT body FROM deliveries WHERE id = :id", id=delivery)
    assert row["body"] is None


async def frozen(engine: Engine, workspace_id: UUID, event_id: UUID) -> UUID:
    """A delivery of it whose body is kept for retries."""
    delivery = new_id(NOW)
    async with engine.write() as tx:
        await fetch(tx, _FROZEN, workspace_id, delivery, event_id, new_id(NOW))
    return delivery


_FROZEN = """
    INSERT INTO deliveries (workspace_id, id, event_id, endpoint_id, due_at, body)
    VALUES ($1, $2, $3, $4, now() + interval '9 days', '{}')
"""
