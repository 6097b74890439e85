"""What the API takes for an anonymous campaign."""

from typing import Any

import pytest

from app.db.engine import Engine
from tests.builders import a_campaign, a_recipient, rows
from tests.conftest import Tenant


@pytest.fixture
async def campaign(engine: Engine, alice: Tenant) -> str:
    return await a_campaign(engine, alice.workspace_id, is_anonymous=True)


async def test_no_code_is_given_for_an_answer(alice: Tenant, campaign: str) -> None:
    """Or it would lead from whoever redeems it to what they answered."""
    answered = await alice.api.post("/v1/responses", json={"campaign_id": campaign, "score": 9})
    await alice.api.post(f"/v1/campaigns/{campaign}/codes", json={"codes": ["THANKS-1"]})
    refused = await alice.api.post(f"/v1/responses/{answered.json()['id']}/code")
    assert (refused.status_code, refused.json()["code"]) == (422, "campaign_is_anonymous")
    assert (await alice.api.get(f"/v1/campaigns/{campaign}/codes")).json()["given"] == 0


async def people(engine: Engine, tenant: Tenant) -> int:
    found = await rows(engine, "SELECT 1 FROM recipients WHERE workspace_id = :id", id=tenant.workspace_id)
    return len(found)


async def test_an_answer_that_names_nobody_is_taken(alice: Tenant, campaign: str) -> None:
    reply = await alice.api.post("/v1/responses", json={"campaign_id": campaign, "score": 9})
    assert reply.status_code == 201


@pytest.mark.parametrize("named", ["recipient_id", "recipient"])
async def test_an_answer_that_names_its_person_is_refused_and_leaves_nobody_behind(
    engine: Engine, alice: Tenant, campaign: str, named: str
) -> None:
    known = await a_recipient(engine, alice.workspace_id)
    who: dict[str, Any] = {"recipient_id": known, "recipient": {"email": "ada@example.com"}}
    answer = {"campaign_id": campaign, "score": 9, named: who[named]}
    reply = await alice.api.post("/v1/responses", json=answer)
    assert (reply.status_code, reply.json()["code"]) == (422, "campaign_is_anonymous")
    bulk = await alice.api.post("/v1/responses/bulk", json={"responses": [answer, {**answer, "score": 3}]})
    assert {row["problem"]["code"] for row in bulk.json()["results"]} == {"campaign_is_anonymous"}
    assert await people(engine, alice) == 1
    assert await rows(engine, "SELECT 1 FROM responses WHERE workspace_id = :id", id=alice.workspace_id) == []
