"""What the API takes for an anonymous campaign."""

from typing import Any

import pytest

from app.db.engine import Engine
from tests.builders import a_campaign, a_recipient, rows
from tests.conftest import Tenant


@pytest.fixture
async def campaign(engine: Engine, alice: Tenant) -> str:
    return await a_campaign(engine, alice.workspace_id, is_anonymous=True)


WITH_IT: dict[str, Any] = {
    "properties": {"team": "night shift"}, "occasion": "order-4711", "import_id": "old-1", "language": "fi",
    "may_contact": True,
}  # fmt: skip
HIDDEN = {
    "properties": {}, "occasion": None, "import_id": None, "language": None, "may_contact": None, "variant": None,
    "wave": None, "survey_version": None,
}  # fmt: skip


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


async def answered(alice: Tenant, campaign: str) -> str:
    """An answer with everything that could single somebody out."""
    said = {"campaign_id": campaign, "score": 3, "comment": "Cold.", **WITH_IT}
    reply = await alice.api.post("/v1/responses", json=said)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


async def test_what_came_with_an_answer_is_counted_and_not_shown_beside_it(alice: Tenant, campaign: str) -> None:
    await alice.api.post("/v1/tracked-properties", json={"key": "team", "source": "response", "kind": "text"})
    response = f"/v1/responses/{await answered(alice, campaign)}"
    changed = await alice.api.patch(response, json={"score": 9})
    (listed,) = (await alice.api.get("/v1/responses", params={"campaign_id": campaign})).json()["data"]
    for shown in ((await alice.api.get(response)).json(), changed.json(), listed):
        assert shown["segments"] == {}
        assert {name: shown[name] for name in HIDDEN} == HIDDEN
        assert (shown["score"], shown["comment"]) == (9, "Cold.")
    assert "night" not in (await alice.api.get(f"{response}/revisions")).text


async def test_events_say_nothing_of_it_either(alice: Tenant, campaign: str) -> None:
    response = f"/v1/responses/{await answered(alice, campaign)}"
    await alice.api.patch(response, json={"score": 9})
    await alice.api.post(f"{response}/exclude", json={"reason": "A test"})
    feed = (await alice.api.get("/v1/events")).json()["data"]
    told = {event["type"]: event["data"]["response"] for event in feed if "response" in event["data"]}
    assert set(told) == {"response.created", "response.band_changed", "response.excluded"}
    for body in told.values():
        assert {name: body[name] for name in HIDDEN} == HIDDEN
        assert body["comment"] == "Cold."
    assert not [word for word in ("night", "4711", "old-1") if word in str(feed)]


async def test_nobody_is_found_by_what_is_not_shown(alice: Tenant, engine: Engine, campaign: str) -> None:
    await answered(alice, campaign)
    named = await a_campaign(engine, alice.workspace_id)
    await answered(alice, named)
    for wanted in ({"occasion": "order-4711"}, {"import_id": "old-1"}):
        (found,) = (await alice.api.get("/v1/responses", params=wanted)).json()["data"]
        assert (found["campaign_id"], found["properties"]) == (named, WITH_IT["properties"])


async def test_the_same_again_is_still_known(alice: Tenant, campaign: str) -> None:
    await answered(alice, campaign)
    said = {"campaign_id": campaign, "score": 3, "comment": "Cold.", **WITH_IT}
    again = await alice.api.post("/v1/responses", json=said)
    assert (again.status_code, again.json()["outcome"]) == (200, "repeated")
