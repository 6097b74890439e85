"""Answers to further questions: taken with a response, amended, refused, told."""

from typing import Any

import pytest

from tests.builders import a_recipient, an_answer
from tests.campaigns import SURVEY, create, move, patch
from tests.conftest import Tenant

QUESTIONS: list[dict[str, Any]] = [
    {"id": "why", "kind": "text", "text": {"en": "Why?", "de": "Warum?"}},
    {
        "id": "liked",
        "kind": "many_of",
        "text": {"en": "What did you like?", "de": "Was hat gefallen?"},
        "options": [
            {"id": "price", "text": {"en": "Price", "de": "Preis"}},
            {"id": "speed", "text": {"en": "Speed", "de": "Tempo"}},
        ],
    },
    {
        "id": "ease",
        "kind": "scale",
        "text": {"en": "Easy?", "de": "Leicht?"},
        "scale": {"lowest": 1, "highest": 5},
        "show_if": {"all": [{"of": "score", "at_most": 8}]},
    },
]
SAID = {"why": "It works", "liked": ["speed", "price"], "ease": None}
KEPT = {"why": "It works", "liked": ["price", "speed"]}


async def asking(alice: Tenant, questions: list[dict[str, Any]] = QUESTIONS) -> str:
    campaign = await create(alice, survey={**SURVEY, "questions": questions})
    return str((await move(alice, campaign, "launch"))["id"])


async def record(alice: Tenant, campaign_id: str, **fields: Any) -> Any:
    return await alice.api.post("/v1/responses", json=an_answer(campaign_id, **fields))


async def shown(alice: Tenant, response_id: str) -> Any:
    return (await alice.api.get(f"/v1/responses/{response_id}")).json()


async def test_answers_come_with_a_response_and_are_told(alice: Tenant) -> None:
    recorded = (await record(alice, await asking(alice), answers=SAID)).json()
    assert (await shown(alice, recorded["id"]))["answers"] == KEPT
    [event] = (await alice.api.get("/v1/events", params={"type": "response.created"})).json()["data"]
    assert event["data"]["response"]["answers"] == KEPT


async def test_a_response_may_leave_out_required_questions(alice: Tenant) -> None:
    campaign = await asking(alice, [{**QUESTIONS[0], "is_required": True}])
    recorded = await record(alice, campaign, answers={})
    assert recorded.status_code == 201
    assert (await shown(alice, recorded.json()["id"]))["answers"] is None


@pytest.mark.parametrize("answers", [{"why": 1}, {"liked": ["beauty"]}, {"ease": 6}, {"ease": True}, {"nothing": "?"}])
async def test_answers_that_do_not_fit_are_refused_and_nothing_is_recorded(
    alice: Tenant, answers: dict[str, Any]
) -> None:
    campaign = await asking(alice)
    reply = await record(alice, campaign, answers=answers)
    assert (reply.status_code, reply.json()["code"]) == (422, "answers_invalid")
    assert [error["pointer"] for error in reply.json()["errors"]] == [f"/answers/{next(iter(answers))}"]
    assert (await alice.api.get("/v1/responses", params={"campaign_id": campaign})).json()["data"] == []


async def test_in_bulk_only_the_one_that_does_not_fit_is_refused(alice: Tenant) -> None:
    campaign = await asking(alice)
    rows = [an_answer(campaign, answers=answers) for answers in (SAID, {"ease": 0}, {"ease": 1})]
    reply = (await alice.api.post("/v1/responses/bulk", json={"responses": [*rows, {"score": 3}]})).json()
    assert [row["status"] for row in reply["results"]] == [201, 422, 201, 422]
    assert reply["results"][1]["problem"]["code"] == "answers_invalid"
    assert (await shown(alice, reply["results"][2]["response"]["id"]))["answers"] == {"ease": 1}


async def test_a_campaign_that_is_not_there_is_missed_first(alice: Tenant, charlie: Tenant) -> None:
    reply = await record(charlie, await asking(alice), answers={"ease": 99})
    assert (reply.status_code, reply.json()["code"]) == (404, "campaign_not_found")


async def test_later_parts_add_answers(alice: Tenant) -> None:
    campaign = await asking(alice)
    person = (await alice.api.post("/v1/recipients", json={"external_id": "ann"})).json()["id"]
    first = {"recipient_id": person, "occasion": "order 1"}
    recorded = (await record(alice, campaign, **first, answers={"why": "It works"})).json()
    assert (await record(alice, campaign, **first)).json()["outcome"] == "repeated"
    assert (await record(alice, campaign, **first, answers={"why": "Hm"})).json()["code"] == "already_answered"
    amended = (await record(alice, campaign, **first, answers={"ease": 4}, if_answered="amend")).json()
    assert (amended["outcome"], amended["id"]) == ("amended", recorded["id"])
    assert (await shown(alice, recorded["id"]))["answers"] == {"why": "It works", "ease": 4}


async def test_an_amendment_changes_answers_one_by_one_and_keeps_what_was(alice: Tenant) -> None:
    response = (await record(alice, await asking(alice), answers=SAID)).json()["id"]
    place = f"/v1/responses/{response}"
    amended = (await alice.api.patch(place, json={"answers": {"why": None, "ease": 2}})).json()
    assert (amended["answers"], amended["revision"]) == ({"liked": ["price", "speed"], "ease": 2}, 2)
    same = (await alice.api.patch(place, json={"answers": {"ease": 2}})).json()
    assert same["revision"] == 2
    refused = await alice.api.patch(place, json={"score": 1, "answers": {"ease": 9}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/answers/ease")
    assert (await alice.api.patch(place, json={"answers": None})).json()["answers"] is None
    kept = (await alice.api.get(f"{place}/revisions")).json()["data"]
    assert [revision["answers"] for revision in kept] == [KEPT, {"liked": ["price", "speed"], "ease": 2}]


async def test_an_answer_is_held_against_the_survey_it_was_given_to(alice: Tenant) -> None:
    campaign = await asking(alice)
    old = (await record(alice, campaign, answers=SAID)).json()
    survey = {**SURVEY, "questions": QUESTIONS[:1]}
    await patch(alice, {"id": campaign}, survey=survey, survey_change="wording")
    assert (await record(alice, campaign, answers={"ease": 1})).status_code == 422
    new = (await record(alice, campaign, answers={"why": "So"})).json()
    assert (old["survey_version"], new["survey_version"]) == (1, 2)
    amended = await alice.api.patch(f"/v1/responses/{old['id']}", json={"answers": {"ease": 1}})
    assert amended.json()["answers"] == {**KEPT, "ease": 1}


async def test_free_text_goes_with_its_person(alice: Tenant, engine: Any) -> None:
    person = await a_recipient(engine, alice.workspace_id)
    response = (await record(alice, await asking(alice), recipient_id=person, answers=SAID)).json()["id"]
    await alice.api.patch(f"/v1/responses/{response}", json={"answers": {"why": "Different"}})
    await alice.api.delete(f"/v1/recipients/{person}")
    assert (await shown(alice, response))["answers"] is None
    kept = (await alice.api.get(f"/v1/responses/{response}/revisions")).json()["data"]
    assert [revision["answers"] for revision in kept] == [None]
