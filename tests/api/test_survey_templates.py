"""Surveys to start from, shown and made into campaigns."""

from typing import Any

import pytest

from app.domain.survey.survey_templates import LANGUAGES, TEMPLATES
from tests.campaigns import move
from tests.conftest import Tenant


async def start(tenant: Tenant, **template: Any) -> Any:
    body = {"name": "Started", "kind": "relationship", "template": template}
    return await tenant.api.post("/v1/campaigns", json=body)


async def test_templates_are_listed_with_what_they_measure(alice: Tenant) -> None:
    found = (await alice.api.get("/v1/survey-templates")).json()["data"]
    assert [template["key"] for template in found] == list(TEMPLATES)
    assert {template["metric"] for template in found} == {"nps", "csat", "ces", "stars", "thumbs"}
    assert all(template["languages"] == list(LANGUAGES) for template in found)


@pytest.mark.parametrize("key", TEMPLATES)
async def test_a_campaign_starts_from_a_template_and_can_be_launched(alice: Tenant, key: str) -> None:
    shown = (await alice.api.get(f"/v1/survey-templates/{key}")).json()
    reply = await start(alice, key=key)
    assert reply.status_code == 201, reply.text
    campaign = reply.json()
    assert (campaign["survey"], campaign["metric"]) == (shown["survey"], shown["metric"])
    assert (await move(alice, campaign, "launch"))["state"] == "running"


async def test_languages_are_chosen_and_the_first_is_the_default(alice: Tenant) -> None:
    survey = (await start(alice, key="nps_relationship", languages=["de", "en"])).json()["survey"]
    assert (survey["default_language"], survey["languages"]) == ("de", ["de", "en"])
    assert set(survey["question"]) == set(survey["thank_you"]["detractor"]) == {"de", "en"}
    wanted = {"language": ["ar"]}
    shown = (await alice.api.get("/v1/survey-templates/after_purchase", params=wanted)).json()["survey"]
    assert shown["languages"] == ["ar"]
    assert [set(option["text"]) for option in shown["questions"][0]["options"]] == [{"ar"}] * 6


@pytest.mark.parametrize(
    ("choice", "status", "code", "pointer"),
    [
        ({"key": "nothing"}, 404, "survey_template_not_found", "/template/key"),
        ({"key": "wow", "languages": ["en", "tlh"]}, 422, "template_language_missing", "/template/languages/1"),
        ({"key": "wow", "colour": "red"}, 422, "validation_failed", "/template/colour"),
    ],
)
async def test_what_is_not_there_is_refused(
    alice: Tenant, choice: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    reply = await start(alice, **choice)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("more", [{"metric": "nps"}, {"survey": {"default_language": "en", "languages": ["en"]}}])
async def test_a_template_brings_its_own_survey(alice: Tenant, more: dict[str, Any]) -> None:
    body = {"name": "Started", "kind": "relationship", "template": {"key": "wow"}, **more}
    assert (await alice.api.post("/v1/campaigns", json=body)).status_code == 422


async def test_a_template_that_is_not_there_is_not_found(alice: Tenant) -> None:
    reply = await alice.api.get("/v1/survey-templates/nothing")
    assert (reply.status_code, reply.json()["code"]) == (404, "survey_template_not_found")
