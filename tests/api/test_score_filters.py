"""The score of the answers that a filter fits: counted one by one, and the same as where they are counted apart."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain import ids
from tests.answers import Answer, a_campaign, count_in
from tests.builders import a_campaign as a_launched_campaign
from tests.builders import an_answer
from tests.conftest import Tenant

MAY = datetime(2026, 5, 4, 10, tzinfo=UTC)
PRO = {"field": "properties.plan", "eq": "pro"}


async def query(tenant: Tenant, filter_: Any, **asked: Any) -> httpx.Response:
    return await tenant.api.post("/v1/scores/query", json={"filter": filter_, **asked})


async def score(tenant: Tenant, filter_: Any, **asked: Any) -> dict[str, Any]:
    reply = await query(tenant, filter_, **asked)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    return await a_campaign(engine, alice.workspace_id)


@pytest.fixture
async def history(alice: Tenant, engine: Engine, campaign: UUID) -> UUID:
    """Many answers around two months, of which `plan` is counted apart as well."""
    random = Random(11)
    async with engine.write() as tx:
        track = text(
            "INSERT INTO tracked_properties (workspace_id, key, source, kind, value_limit, state)"
            " VALUES (:id, 'plan', 'recipient', 'text', 100, 'tracked')"
        )
        await tx.execute(track, {"id": alice.workspace_id})
    answers = [
        Answer(
            score=random.randrange(11),
            answered_at=MAY + timedelta(minutes=random.randrange(-50_000, 50_000)),
            channel=random.choice(["email", "web"]),
            recipient_properties=random.choice([{}, {"plan": "pro"}, {"plan": "free"}]),
            excluded=random.random() < 0.1,
        )
        for _ in range(300)
    ]
    await count_in(engine, alice.workspace_id, campaign, answers)
    return campaign


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"from": "2026-04-20", "until": "2026-05-10"},
        {"from": "2026-04-20T13:37:00Z", "until": "2026-05-10T03:00:00Z"},
        {"from": "2026-05-02T08:00:00Z", "until": "2026-05-06T20:00:00Z"},
        {"from": "2026-04-20", "until": "2026-05-10", "compare": "previous_period"},
        {"group_by": "week"},
        {"group_by": "channel", "channel": ["web"]},
        {"group_by": "property:plan"},
        {"level": 0.9, "survey_version": 1},
    ],
)
async def test_it_is_the_score_of_the_segment(alice: Tenant, history: UUID, asked: dict[str, Any]) -> None:
    of_segment = await alice.api.get("/v1/scores", params={"segment": "plan:pro", **asked})
    found = await score(alice, PRO, **asked)
    expected = of_segment.json()
    if "property" in asked.get("group_by", ""):  # the segment has one group only
        expected["groups"] = [group for group in found["groups"] if group["key"] == "pro"]
        assert len(found["groups"]) == 1
    assert found == expected
    assert found["score"]["n"] > 0


async def test_a_filter_and_its_opposite_are_everybody(alice: Tenant, history: UUID) -> None:
    parts = [await score(alice, one) for one in (PRO, {"not": PRO})]
    everybody = (await alice.api.get("/v1/scores")).json()
    assert sum(part["score"]["n"] for part in parts) == everybody["score"]["n"]


async def test_properties_count_as_they_were_when_the_answer_came(alice: Tenant, engine: Engine) -> None:
    campaign = await a_launched_campaign(engine, alice.workspace_id)
    person = {"external_id": "4711", "properties": {"seats": 5}}
    ada = (await alice.api.post("/v1/recipients", json=person)).json()["id"]
    await alice.api.post("/v1/responses", json=an_answer(campaign, recipient_id=ada, score=9))
    await alice.api.post("/v1/recipients", json={**person, "properties": {"seats": 500}})
    assert (await score(alice, {"field": "properties.seats", "lt": 100}))["score"]["n"] == 1
    assert (await score(alice, {"field": "properties.seats", "gte": 100}))["score"]["n"] == 0


async def test_answers_have_properties_of_their_own_and_accounts_as_they_are_today(
    alice: Tenant, engine: Engine
) -> None:
    campaign = await a_launched_campaign(engine, alice.workspace_id)
    person = {"external_id": "4711", "account": {"external_id": "acme", "tier": "silver"}}
    ada = (await alice.api.post("/v1/recipients", json=person)).json()["id"]
    answer = an_answer(campaign, recipient_id=ada, score=3, properties={"store": "Rome"})
    await alice.api.post("/v1/responses", json=answer)
    await alice.api.post("/v1/responses", json=an_answer(campaign, score=10))
    await alice.api.post("/v1/accounts", json={"external_id": "acme", "tier": "gold"})
    in_rome = {"field": "response.properties.store", "eq": "Rome"}
    gold = {"field": "account.tier", "eq": "gold"}
    assert (await score(alice, {"all": [in_rome, gold]}))["score"]["value"] == -100
    assert (await score(alice, {"not": gold}))["score"]["value"] == 100


async def test_strangers_find_nothing(alice: Tenant, charlie: Tenant, history: UUID) -> None:
    assert (await score(charlie, {"not": {"field": "properties.plan", "eq": "?"}}))["score"]["n"] == 0
    refused = await query(charlie, PRO, campaign_id=[ids.shown("campaign", history)])
    assert (refused.status_code, refused.json()["code"]) == (404, "campaign_not_found")


@pytest.mark.parametrize(
    ("asked", "code", "pointer"),
    [
        ({"filter": {"field": "last_score", "lte": 6}}, "filter_invalid", "/filter/field"),
        ({"filter": PRO, "from": 7}, "validation_failed", ""),
        ({"filter": PRO, "level": "0.95"}, "validation_failed", "/level"),
        ({"filter": PRO, "survey_version": "1"}, "validation_failed", "/survey_version"),
        ({"filter": None}, "validation_failed", "/filter"),
        ({}, "validation_failed", "/filter"),
    ],
)
async def test_a_question_that_cannot_be_meant_is_refused(
    alice: Tenant, asked: dict[str, Any], code: str, pointer: str
) -> None:
    refused = await alice.api.post("/v1/scores/query", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["pointer"] == pointer
