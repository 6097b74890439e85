"""A bulk of touchpoints under an Idempotency-Key: sent again after a lost reply, nobody is asked twice."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from sqlalchemy import text

from app.db.engine import Engine
from tests.conftest import Tenant

Row = dict[str, Any]
ADA, BOB = ({"name": "delivered", "recipient": {"email": f"{name}@example.com"}} for name in ("ada", "bob"))
NOBODY: Row = {"name": "delivered", "recipient": {"email": "nonsense"}}


async def bulk(tenant: Tenant, said: Sequence[Row], *, key: str | None = "k-1") -> httpx.Response:
    headers = {"idempotency-key": key} if key is not None else {}
    return await tenant.api.post("/v1/touchpoints/bulk", json={"touchpoints": said}, headers=headers)


async def ends(tenant: Tenant, said: Sequence[Row], *, key: str | None = "k-1") -> list[tuple[int, str]]:
    """(status, outcome or code) of each row."""
    reply = await bulk(tenant, said, key=key)
    assert reply.status_code == 200, reply.text
    return [(row["status"], row.get("outcome") or row["problem"]["code"]) for row in reply.json()["results"]]


async def count(tenant: Tenant) -> int:
    return len((await tenant.api.get("/v1/touchpoints")).json()["data"])


async def test_rows_that_are_here_are_repeated_and_the_others_recorded(alice: Tenant) -> None:
    assert await ends(alice, [ADA, NOBODY, ADA]) == [(201, "created"), (422, "recipient_invalid"), (201, "created")]
    assert await ends(alice, [ADA, BOB, ADA]) == [(200, "repeated"), (201, "created"), (200, "repeated")]
    assert await ends(alice, [ADA, BOB, ADA]) == [(200, "repeated")] * 3
    assert await count(alice) == 3


async def test_a_repeated_row_names_the_touchpoint_that_was_made(alice: Tenant) -> None:
    first, again = [(await bulk(alice, [ADA, BOB])).json() for _ in range(2)]
    assert [row["id"] for row in first["results"]] == [row["id"] for row in again["results"]]
    assert (again["created"], again["repeated"]) == (0, 2)


async def test_another_row_in_its_place_is_told_so(alice: Tenant) -> None:
    await ends(alice, [ADA, BOB])
    assert await ends(alice, [BOB, BOB]) == [(422, "idempotency_key_reused"), (200, "repeated")]


async def test_another_key_none_and_a_single_touchpoint_are_something_else(alice: Tenant, charlie: Tenant) -> None:
    for key in ("k-1", "k-2", None, None):
        assert await ends(alice, [ADA], key=key) == [(201, "created")]
    assert await ends(charlie, [ADA]) == [(201, "created")]
    single = await alice.api.post("/v1/touchpoints", json=ADA, headers={"idempotency-key": "k-1"})
    assert single.status_code == 201


async def test_a_key_that_is_none_is_refused_before_anything_is_recorded(alice: Tenant) -> None:
    reply = await bulk(alice, [ADA], key="x" * 256)
    assert (reply.status_code, reply.json()["code"]) == (422, "idempotency_key_unusable")
    assert await count(alice) == 0


async def test_of_two_that_race_one_records_and_the_other_is_told(alice: Tenant, engine: Engine) -> None:
    async with engine.write() as in_the_way:
        await in_the_way.execute(text("LOCK TABLE touchpoints IN SHARE ROW EXCLUSIVE MODE"))  # holds up the first
        calls = [asyncio.create_task(bulk(alice, [ADA, BOB])) for _ in range(2)]
        told = await next(asyncio.as_completed(calls, timeout=4))
    assert (told.status_code, told.json()["code"]) == (409, "idempotency_key_in_use")
    assert sorted([reply.status_code for reply in await asyncio.gather(*calls)]) == [200, 409]
    assert await count(alice) == 2


async def test_a_key_is_forgotten_after_a_day(alice: Tenant, engine: Engine) -> None:
    await ends(alice, [ADA])
    older = "UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE workspace_id = :id"
    async with engine.write() as tx:
        await tx.execute(text(older), {"id": alice.workspace_id})
    assert await ends(alice, [ADA]) == [(201, "created")]
    assert await ends(alice, [ADA]) == [(200, "repeated")]


async def test_a_touchpoint_that_has_gone_with_its_person_is_not_made_again(alice: Tenant) -> None:
    made = (await bulk(alice, [ADA])).json()["results"][0]["id"]
    person = (await alice.api.get(f"/v1/touchpoints/{made}")).json()["recipient_id"]
    assert (await alice.api.delete(f"/v1/recipients/{person}")).status_code == 204
    assert await ends(alice, [ADA]) == [(200, "repeated")]
    assert await count(alice) == 0
