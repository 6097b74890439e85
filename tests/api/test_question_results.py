"""What was answered to further questions, counted by option, value and band."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.test_answers import QUESTIONS, asking, record
from tests.campaigns import SURVEY, patch
from tests.conftest import Tenant

NOBODY = {"promoter": 0, "passive": 0, "detractor": 0}


async def results(tenant: Tenant, campaign: str, question: str, **params: Any) -> Any:
    reply = await tenant.api.get(f"/v1/questions/{question}/results", params={"campaign_id": campaign, **params})
    assert reply.status_code == 200, reply.text
    return reply.json()


async def answered(alice: Tenant) -> str:
    campaign = await asking(alice)
    for score, answers in (
        (10, {"liked": ["price", "speed"], "why": "It works"}),
        (9, {"liked": ["speed"]}),
        (8, {"ease": 4}),
        (2, {"liked": ["price"], "ease": 1}),
        (3, {"ease": 1, "why": "Slow"}),
        (5, {}),
    ):
        assert (await record(alice, campaign, score=score, answers=answers)).status_code == 201
    return campaign


async def test_options_are_counted_with_the_bands_they_came_from(alice: Tenant) -> None:
    found = await results(alice, await answered(alice), "liked")
    assert (found["response_count"], found["n"], found["mean"]) == (6, 3, None)
    assert found["bands"] == {"promoter": 2, "passive": 0, "detractor": 1}
    assert found["results"] == [
        {"value": "price", "count": 2, "share": 0.6667, "bands": {"promoter": 1, "passive": 0, "detractor": 1}},
        {"value": "speed", "count": 2, "share": 0.6667, "bands": {"promoter": 2, "passive": 0, "detractor": 0}},
    ]
    assert found["question"]["text"]["en"] == "What did you like?"


async def test_a_scale_has_a_histogram_and_a_mean(alice: Tenant) -> None:
    found = await results(alice, await answered(alice), "ease")
    assert [(tally["value"], tally["count"]) for tally in found["results"]] == [(1, 2), (2, 0), (3, 0), (4, 1), (5, 0)]
    assert (found["n"], found["mean"], found["results"][0]["bands"]["detractor"]) == (3, 2.0, 2)


async def test_of_a_free_text_only_the_number_is_told(alice: Tenant) -> None:
    found = await results(alice, await answered(alice), "why")
    assert (found["n"], found["results"], found["mean"]) == (2, [], None)


async def test_what_nobody_answered_is_nothing(alice: Tenant) -> None:
    found = await results(alice, await asking(alice), "ease")
    assert (found["response_count"], found["n"], found["mean"], found["bands"]) == (0, 0, None, NOBODY)
    assert {tally["share"] for tally in found["results"]} == {0.0}


async def test_what_was_answered_on_a_way_that_was_left_is_counted_nowhere(alice: Tenant) -> None:
    campaign = await answered(alice)
    changed = (await record(alice, campaign, score=3, answers={"ease": 5, "liked": ["price"]})).json()["id"]
    assert (await results(alice, campaign, "ease"))["n"] == 4
    assert (await alice.api.patch(f"/v1/responses/{changed}", json={"score": 10})).status_code == 200
    found = await results(alice, campaign, "ease")
    assert (found["n"], found["bands"]["promoter"], found["response_count"]) == (3, 0, 7)
    assert (await results(alice, campaign, "liked"))["n"] == 4


async def test_a_question_that_depends_on_one_that_is_no_longer_asked_is_not_either(alice: Tenant) -> None:
    only_if = {"all": [{"of": "ease", "at_most": 2}]}
    slow = {"id": "slow", "kind": "text", "text": {"en": "How?", "de": "Wie?"}, "show_if": only_if}
    campaign = await asking(alice, [*QUESTIONS, slow])
    said = {"ease": 1, "slow": "Waiting"}
    changed = (await record(alice, campaign, score=3, answers=said)).json()["id"]
    await record(alice, campaign, score=4, answers=said)
    assert (await results(alice, campaign, "slow"))["n"] == 2
    await alice.api.patch(f"/v1/responses/{changed}", json={"score": 9})
    assert (await results(alice, campaign, "slow"))["n"] == 1


async def test_excluded_answers_other_campaigns_channels_and_times_are_left_out(alice: Tenant) -> None:
    campaign, other = await asking(alice), await asking(alice)
    now = datetime.now(UTC)
    old = (now - timedelta(days=40)).isoformat()
    ease: dict[str, Any] = {"answers": {"ease": 3}, "score": 5}
    await record(alice, other, **ease)
    await record(alice, campaign, **ease, channel="sms")
    await record(alice, campaign, **ease, answered_at=old)
    excluded = (await record(alice, campaign, **ease)).json()["id"]
    await alice.api.post(f"/v1/responses/{excluded}/exclude", json={"reason": "A test"})
    assert (await results(alice, campaign, "ease"))["n"] == 2
    assert (await results(alice, campaign, "ease", channel="sms"))["n"] == 1
    assert (await results(alice, campaign, "ease", until=(now - timedelta(days=30)).date().isoformat()))["n"] == 1
    minute_ago = {"from": (now - timedelta(minutes=1)).isoformat()}
    assert (await results(alice, campaign, "ease", **minute_ago))["n"] == 1


async def test_a_question_that_went_is_still_told_of_with_options_that_went(alice: Tenant) -> None:
    campaign = await answered(alice)
    fewer = {**QUESTIONS[1], "options": [QUESTIONS[1]["options"][0], {"id": "people", "text": {"en": "P", "de": "P"}}]}
    await patch(alice, {"id": campaign}, survey={**SURVEY, "questions": [fewer]}, survey_change="wording")
    found = await results(alice, campaign, "liked")
    assert [(tally["value"], tally["count"]) for tally in found["results"]] == [
        ("price", 2),
        ("people", 0),
        ("speed", 2),
    ]
    assert (await results(alice, campaign, "ease"))["n"] == 3


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        (
            {"id": "why", "kind": "scale", "text": {"en": "How?", "de": "Wie?"}, "scale": {"lowest": 1, "highest": 5}},
            "kind",
        ),
        (
            {
                "id": "ease",
                "kind": "scale",
                "text": {"en": "Easy?", "de": "Leicht?"},
                "scale": {"lowest": 0, "highest": 10},
            },
            "scale",
        ),
    ],
)
async def test_answers_of_two_kinds_are_never_counted_together(alice: Tenant, question: Any, pointer: str) -> None:
    campaign = await answered(alice)
    without = [one for one in QUESTIONS if one["id"] != question["id"]]
    for questions, status in ((without, 200), ([*without, question], 422)):  # also where it was gone for a while
        body = {"survey": {**SURVEY, "questions": questions}, "survey_change": "wording"}
        reply = await alice.api.patch(f"/v1/campaigns/{campaign}", json=body)
        assert reply.status_code == status, reply.text
    assert reply.json()["code"] == "survey_invalid"
    assert reply.json()["errors"][0]["pointer"] == f"/survey/questions/{len(without)}/{pointer}"


@pytest.mark.parametrize(
    ("question", "params", "status", "code"),
    [
        ("nothing", {}, 404, "question_not_found"),
        ("ease", {"campaign_id": "camp_" + "0" * 32}, 404, "campaign_not_found"),
        ("ease", {"from": "2026-02-01", "until": "2026-01-01"}, 422, "period_empty"),
    ],
)
async def test_what_is_not_there_has_no_results(
    alice: Tenant, question: str, params: dict[str, str], status: int, code: str
) -> None:
    campaign = await asking(alice)
    reply = await alice.api.get(f"/v1/questions/{question}/results", params={"campaign_id": campaign, **params})
    assert (reply.status_code, reply.json()["code"]) == (status, code)


async def test_another_tenant_has_no_results(alice: Tenant, charlie: Tenant) -> None:
    campaign = await answered(alice)
    reply = await charlie.api.get("/v1/questions/ease/results", params={"campaign_id": campaign})
    assert (reply.status_code, reply.json()["code"]) == (404, "campaign_not_found")
