"""What a survey lacks in which language, and for how many people the words of a fall-back would stand."""

from typing import Any

from tests.campaigns import SURVEY, create, patch
from tests.conftest import Tenant

HELLO = "Hello {name|there}: is the {property.plan|current} plan right for {account|you}, says {brand|the team}?"


async def check(tenant: Tenant, campaign: dict[str, Any]) -> Any:
    reply = await tenant.api.get(f"/v1/campaigns/{campaign['id']}/survey-check")
    assert reply.status_code == 200, reply.text
    return reply.json()


async def people(tenant: Tenant) -> list[str]:
    account = (await tenant.api.post("/v1/accounts", json={"external_id": "acme", "name": "Acme"})).json()["id"]
    said: list[dict[str, Any]] = [
        {"name": "Ann", "properties": {"plan": "pro"}, "account_id": account},
        {"name": "Bob", "properties": {"plan": 3}},
        {"properties": {"plan": True}},
        {"properties": {"plan": " \n\u00a0\u202e\u3000"}, "account_id": account},
        {"name": "Eve"},
    ]
    made = [
        await tenant.api.post("/v1/recipients", json={"external_id": f"p{number}", **one})
        for number, one in enumerate(said)
    ]
    return [str(reply.json()["id"]) for reply in made]


async def test_what_is_missing_is_named_by_language(alice: Tenant) -> None:
    found = await check(alice, await create(alice))
    assert found["languages"] == [
        {"language": "en", "is_complete": True, "missing": []},
        {"language": "de", "is_complete": False, "missing": ["follow_up.detractor", "thank_you.promoter"]},
    ]
    assert (found["survey_version"], found["merge_fields"]) == (1, [])


async def test_saying_who_would_read_the_fall_back(alice: Tenant) -> None:
    await people(alice)
    found = await check(alice, await create(alice, survey={**SURVEY, "question": {"en": HELLO, "de": "Und?"}}))
    assert found["audience_count"] == 5
    counts = {field["field"]: field["fallback_count"] for field in found["merge_fields"]}
    assert counts == {"name": 2, "account": 3, "brand": 0, "property.plan": 3}


async def test_only_whom_the_campaign_may_ask_is_counted(alice: Tenant, charlie: Tenant) -> None:
    ann, *_, eve = await people(alice)
    await people(charlie)
    survey = {**SURVEY, "question": {"en": HELLO, "de": "Und?"}}
    campaign = await create(alice, survey=survey, kind="relationship")
    await alice.api.post(f"/v1/campaigns/{campaign['id']}/recipients", json={"recipient_ids": [ann, eve]})
    found = await check(alice, campaign)
    assert found["audience_count"] == 2
    assert {field["field"]: field["fallback_count"] for field in found["merge_fields"]}["property.plan"] == 1
    filtered = {"trigger": {"kind": "once"}, "audience": {"field": "properties.plan", "exists": True}}
    changed = await patch(alice, campaign, asking=filtered)
    assert changed.status_code == 200, changed.text
    assert (await check(alice, campaign))["audience_count"] == 1


async def test_another_tenants_survey_is_not_there(alice: Tenant, charlie: Tenant) -> None:
    campaign = await create(alice)
    assert (await charlie.api.get(f"/v1/campaigns/{campaign['id']}/survey-check")).status_code == 404
