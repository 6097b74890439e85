"""People sent along with an answer: they are announced like any others, and no race loses their answer."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from tests.builders import a_campaign, an_answer, rows
from tests.conftest import Tenant, a_tenant, running_app


async def told(tenant: Tenant) -> list[tuple[str, Any]]:
    """(type, name) of all events, in order."""
    events = (await tenant.api.get("/v1/events?limit=500")).json()["data"]
    return [(event["type"], (event["data"].get("recipient") or {}).get("name")) for event in events]


async def test_whoever_is_new_or_different_is_announced(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    for name in ("Kim", "Kim", "Kim Doe"):
        answer = an_answer(campaign, recipient={"external_id": "kim", "name": name})
        assert (await alice.api.post("/v1/responses", json=answer)).status_code == 201
    assert await told(alice) == [
        ("recipient.created", "Kim"),
        ("response.created", "Kim"),
        ("response.created", "Kim"),
        ("recipient.updated", "Kim Doe"),
        ("response.created", "Kim Doe"),
    ]


async def test_people_of_a_bulk_are_announced_once_each(engine: Engine, alice: Tenant, charlie: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    rows = [an_answer(campaign, recipient={"external_id": f"p{number % 2}"}) for number in range(4)]
    assert (await alice.api.post("/v1/responses/bulk", json={"responses": rows})).json()["created"] == 4
    assert [kind for kind, _ in await told(alice)].count("recipient.created") == 2
    assert await told(charlie) == []


async def test_a_request_under_a_used_key_leaves_nobody_behind(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)

    async def post(number: int) -> int:
        answer = an_answer(campaign, recipient={"external_id": f"k{number}"})
        return (await alice.api.post("/v1/responses", json=answer, headers={"idempotency-key": "one"})).status_code

    assert sorted(await asyncio.gather(*map(post, range(4)))) == [201, 422, 422, 422]
    assert await post(4) == 422
    assert len((await alice.api.get("/v1/recipients")).json()["data"]) == 1


async def test_an_import_id_that_is_taken_leaves_nobody_behind(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    rows = [
        an_answer(campaign, score=number, import_id="i-1", recipient={"external_id": f"i{number}"})
        for number in range(3)
    ]
    bulk = (await alice.api.post("/v1/responses/bulk", json={"responses": rows})).json()
    assert [row["status"] for row in bulk["results"]] == [201, 409, 409]
    assert (await alice.api.post("/v1/responses", json=rows[2])).status_code == 409
    assert (await alice.api.post("/v1/responses", json=rows[0])).status_code == 200
    assert len((await alice.api.get("/v1/recipients")).json()["data"]) == 1


async def test_an_import_that_is_sent_again_leaves_people_as_they_are(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)

    async def post(name: str, **fields: Any) -> str:
        answer = an_answer(campaign, import_id="i-1", recipient={"external_id": "kim", "name": name}, **fields)
        bulk = (await alice.api.post("/v1/responses/bulk", json={"responses": [answer]})).json()
        return str(bulk["results"][0]["response"]["outcome"])

    assert await post("Kim") == "created"
    assert await post("Kim Doe") == "repeated"
    assert await post("Kim Doe", score=3, if_answered="amend") == "amended"
    assert (await alice.api.get("/v1/recipients/external_id:kim")).json()["name"] == "Kim"


async def test_no_answer_is_lost_to_an_erasure_of_its_person(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    found = []

    async def write() -> None:
        for _ in range(25):
            answer = an_answer(campaign, recipient={"external_id": "gone"})
            found.append((await alice.api.post("/v1/responses", json=answer)).status_code)

    async def erase() -> None:
        for _ in range(40):
            assert (await alice.api.delete("/v1/recipients/external_id:gone")).status_code in {204, 404, 503}

    await asyncio.gather(write(), write(), write(), write(), erase(), erase())
    assert set(found) <= {201, 409, 503}  # 409: erased after the answer was handed in
    assert found.count(201) > 50


# Erases whoever is called fleeting in the moment in which they are stored, as often as it was told to.
ERASES_AT_ONCE = (
    "CREATE SEQUENCE erasures",
    """
    CREATE FUNCTION erase_at_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('erasures') <= TG_ARGV[0]::int THEN
            UPDATE recipients SET external_id = NULL, deleted_at = now() WHERE id = NEW.id;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER erase_at_once AFTER INSERT ON recipients DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.external_id = 'fleeting') EXECUTE FUNCTION erase_at_once({times})
    """,
)


@pytest.mark.parametrize(("times", "statuses"), [(2, [201, 200]), (3, [503, 201])])
async def test_whoever_is_erased_each_time_is_brought_in_three_times_and_then_told_to_come_back(
    own_database_url: str, own_engine: Engine, times: int, statuses: list[int]
) -> None:
    async with own_engine.write() as tx:
        for statement in ERASES_AT_ONCE:
            await tx.execute(text(statement.replace("{times}", str(times))))
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        answer = an_answer(await a_campaign(own_engine, alice.workspace_id), recipient={"external_id": "fleeting"})
        replies = [
            await alice.api.post("/v1/responses", json=answer, headers={"idempotency-key": "one"}) for _ in statuses
        ]
    assert [reply.status_code for reply in replies] == statuses
    erased = await rows(own_engine, "SELECT count(*) AS n FROM recipients WHERE deleted_at IS NOT NULL")
    assert erased == [{"n": times}]
    assert await rows(own_engine, "SELECT score FROM responses") == [{"score": 9}]
    if statuses[0] == 503:
        assert replies[0].json()["code"] == "overloaded"
        assert "deleted and made again" in replies[0].json()["detail"]
        assert replies[0].headers["retry-after"]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 12345678901234567890, 1e300])
async def test_no_number_becomes_another(engine: Engine, alice: Tenant, number: float) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    person = {"external_id": "n", "properties": {"order": number}}
    for path, body in (
        ("/v1/recipients", person),
        ("/v1/responses", an_answer(campaign, recipient=person)),
        ("/v1/responses", an_answer(campaign, properties={"order": number})),
    ):
        assert (await alice.api.post(path, json=body)).status_code == 422
    whole = {"external_id": "n", "properties": {"order": 2**53, "part": 0.5}}
    assert (await alice.api.post("/v1/recipients", json=whole)).json()["properties"] == whole["properties"]
