import asyncio
import json
from itertools import permutations
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from tests.builders import a_campaign, rows
from tests.conftest import Tenant, client

SHOP = {"origin": "https://shop.example", "content-type": "text/plain"}


@pytest.fixture
async def campaign(engine: Engine, alice: Tenant) -> str:
    return await a_campaign(engine, alice.workspace_id)


def a_part(campaign: str, **fields: Any) -> dict[str, Any]:
    return {"campaign_id": campaign, "client_ref": str(uuid4()), "seq": 1, "score": 9, **fields}


def without_score(part: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in {**part, **fields}.items() if name != "score"}


async def send(app: FastAPI, tenant: Tenant, part: dict[str, Any], **headers: str) -> httpx.Response:
    async with client(app) as browser:
        return await browser.post(
            f"/v1/widget/responses?key={tenant.publishable_key}", content=json.dumps(part), headers={**SHOP, **headers}
        )


async def test_a_simple_request_is_recorded_and_readable_by_the_page(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign, color="blue", properties={"page": "/checkout"})
    reply = await send(app, alice, part)
    assert reply.status_code == 201, reply.text
    assert reply.headers["access-control-allow-origin"] == "https://shop.example"
    assert reply.json() == {"client_ref": part["client_ref"], "seq": 1, "outcome": "created"}
    [stored] = await stored_for(engine, part)
    assert (stored["channel"], stored["recipient_id"], stored["properties"]) == ("web", None, {"page": "/checkout"})


async def test_parts_in_any_order_end_as_the_highest_sequence_says(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign)
    await send(app, alice, {**part, "seq": 1, "score": 4})
    last = await send(app, alice, {**part, "seq": 30, "score": 8, "comment": "Better now"})
    late = await send(app, alice, {**part, "seq": 20, "score": 6})
    assert (last.json()["outcome"], late.json()["outcome"]) == ("amended", "repeated")
    [stored] = await stored_for(engine, part)
    assert (stored["score"], stored["comment"], stored["revision"]) == (8, "Better now", 2)
    [counted] = await rows(
        engine, "SELECT * FROM score_rollups WHERE workspace_id = :w AND property_key = ''", w=alice.workspace_id
    )
    assert (counted["s4"], counted["s6"], counted["s8"]) == (0, 0, 1)


async def test_a_comment_that_came_is_not_lost_to_a_later_part_without_one(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign)
    await send(app, alice, {**part, "comment": "Keep me"})
    await send(app, alice, {**part, "seq": 2, "score": 10})
    [stored] = await stored_for(engine, part)
    assert (stored["score"], stored["comment"]) == (10, "Keep me")


async def test_a_part_may_be_a_comment_alone(app: FastAPI, engine: Engine, alice: Tenant, campaign: str) -> None:
    part = a_part(campaign, score=4)
    await send(app, alice, part)
    reply = await send(app, alice, without_score(part, seq=2, comment="Late again", may_contact=True))
    assert (reply.status_code, reply.json()["outcome"]) == (200, "amended")
    [stored] = await stored_for(engine, part)
    assert (stored["score"], stored["comment"], stored["may_contact"]) == (4, "Late again", True)
    assert (await send(app, alice, without_score(part, seq=2, comment="Late again"))).json()["outcome"] == "repeated"


async def test_a_comment_that_comes_before_any_score_is_not_taken(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign, comment="Too early")
    reply = await send(app, alice, without_score(part))
    assert (reply.status_code, reply.json()["code"]) == (422, "score_missing")
    assert reply.json()["errors"][0]["pointer"] == "/score"
    assert await stored_for(engine, part) == []
    assert (await send(app, alice, part)).json()["outcome"] == "created"


async def test_parts_that_are_sent_at_once_find_each_other(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    """As a page does that is closed at once: both are on their way before either was acknowledged."""
    for _ in range(5):
        part = a_part(campaign, score=3)
        replies = await asyncio.gather(
            send(app, alice, part), send(app, alice, without_score(part, seq=2, comment="Bye"))
        )
        assert [reply.status_code for reply in replies] == [201, 200]
        [stored] = await stored_for(engine, part)
        assert (stored["score"], stored["comment"]) == (3, "Bye")


async def test_of_each_field_the_last_word_counts(app: FastAPI, engine: Engine, alice: Tenant, campaign: str) -> None:
    """A score that was changed before the comment was sent, and arrives after it, is the newer score all the same."""
    said = [{"seq": 1, "score": 9}, {"seq": 3, "comment": "Fine"}, {"seq": 2, "score": 7, "comment": "Fi"}]
    for order in permutations(said):
        if "score" in order[0]:
            whole = a_part(campaign)
            for part in order:
                assert (await send(app, alice, {**without_score(whole), **part})).status_code in {200, 201}
            [stored] = await stored_for(engine, whole)
            assert (stored["score"], stored["comment"]) == (7, "Fine")


async def test_a_part_without_a_score_does_not_wake_an_archived_campaign(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign)
    await send(app, alice, part)
    await alice.api.post(f"/v1/campaigns/{campaign}/complete")
    await alice.api.post(f"/v1/campaigns/{campaign}/archive")
    for late in (without_score(part, seq=2, comment="Hello?"), without_score(a_part(campaign))):
        reply = await send(app, alice, late)
        assert (reply.status_code, reply.json()["code"]) == (409, "campaign_not_accepting")


async def test_another_origin_another_kind_of_key_and_no_key_are_refused(
    app: FastAPI, alice: Tenant, campaign: str
) -> None:
    elsewhere = await send(app, alice, a_part(campaign), origin="https://evil.example")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" in elsewhere.headers
    async with client(app) as browser:
        secret = await browser.post(f"/v1/widget/responses?key={alice.secret_key}", json=a_part(campaign), headers=SHOP)
        assert (secret.status_code, secret.json()["code"]) == (403, "publishable_key_needed")
        missing = await browser.post("/v1/widget/responses", json=a_part(campaign), headers=SHOP)
        assert missing.status_code == 401


async def test_an_answer_recorded_by_the_server_cannot_be_changed_from_a_page(
    app: FastAPI, engine: Engine, alice: Tenant, charlie: Tenant, campaign: str
) -> None:
    theirs = await a_campaign(engine, charlie.workspace_id)
    part = a_part(campaign)
    await send(app, alice, part)
    assert (await send(app, charlie, {**part, "campaign_id": theirs})).status_code == 201
    assert (await send(app, charlie, part)).status_code == 404


async def test_a_page_may_amend_for_a_day(app: FastAPI, engine: Engine, alice: Tenant, campaign: str) -> None:
    part = a_part(campaign)
    await send(app, alice, part)
    await change(
        engine, "UPDATE responses SET created_at = created_at - interval '25 hours' WHERE client_ref = :ref", part
    )
    reply = await send(app, alice, {**part, "seq": 2, "score": 1})
    assert (reply.status_code, reply.json()["code"]) == (409, "response_sealed")


async def test_another_publishable_key_does_not_amend(
    app: FastAPI, engine: Engine, alice: Tenant, campaign: str
) -> None:
    part = a_part(campaign)
    await send(app, alice, part)
    await change(engine, "UPDATE responses SET client_key_id = gen_random_uuid() WHERE client_ref = :ref", part)
    reply = await send(app, alice, {**part, "seq": 2, "score": 1})
    assert (reply.status_code, reply.json()["code"]) == (409, "response_sealed")


@pytest.mark.parametrize(
    "wrong",
    [{"score": 11}, {"seq": -1}, {"client_ref": "x"}, {"comment": 7}, {"score": None}, {"channel": "email"}],
    ids=str,
)
async def test_what_is_wrong_is_told_with_its_field(
    app: FastAPI, alice: Tenant, campaign: str, wrong: dict[str, Any]
) -> None:
    reply = await send(app, alice, a_part(campaign, **wrong))
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == f"/{next(iter(wrong))}"


async def test_a_widgets_body_is_small(app: FastAPI, alice: Tenant, campaign: str) -> None:
    reply = await send(app, alice, a_part(campaign, comment="x" * 9_000, padding="y" * 9_000))
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


async def test_a_page_that_asks_first_is_let_in(app: FastAPI) -> None:
    async with client(app) as browser:
        reply = await browser.options("/v1/widget/responses", headers=SHOP)
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-methods"] == "POST"


async def stored_for(engine: Engine, part: dict[str, Any]) -> list[dict[str, Any]]:
    return await rows(engine, "SELECT * FROM responses WHERE client_ref = :ref", ref=part["client_ref"])


async def change(engine: Engine, statement: str, part: dict[str, Any]) -> None:
    async with engine.write() as tx:
        await tx.execute(text(statement), {"ref": part["client_ref"]})
