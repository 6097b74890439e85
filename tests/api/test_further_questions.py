"""Further questions of a survey: saved, shown, refused with a pointer to what is wrong."""

from typing import Any

import pytest

from tests.campaigns import SURVEY, create, move, patch, read
from tests.conftest import Tenant

REASON: dict[str, Any] = {
    "id": "reason",
    "kind": "one_of",
    "text": {"en": "What was it, {name|friend}?", "de": "Woran lag es?"},
    "options": [
        {"id": "price", "text": {"en": "The price", "de": "Am Preis"}},
        {"id": "speed", "text": {"en": "Speed", "de": "Am Tempo"}},
    ],
    "scale": None,
    "is_required": True,
    "show_if": {"all": [{"of": "band", "any_of": ["detractor"], "at_least": None, "at_most": None}], "any": []},
}
EASE: dict[str, Any] = {
    "id": "ease",
    "kind": "scale",
    "text": {"en": "How easy was it?", "de": "Wie leicht war es?"},
    "scale": {"lowest": 1, "highest": 5, "lowest_label": {"en": "Hard"}},
}


async def test_questions_are_shown_as_they_were_saved(alice: Tenant) -> None:
    campaign = await create(alice, survey={**SURVEY, "questions": [REASON, EASE]})
    scale = {"lowest": 1, "highest": 5, "lowest_label": {"en": "Hard"}, "highest_label": {}}
    shown = {**EASE, "scale": scale, "options": [], "is_required": False, "show_if": None}
    assert campaign["survey"]["questions"] == [REASON, shown]
    assert await read(alice, campaign) == campaign
    same = await patch(alice, campaign, survey={**SURVEY, "questions": [REASON, EASE]})
    assert same.json()["revision"] == campaign["revision"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": "Reason"}, "/survey/questions/0/id"),
        ({"id": "score"}, "/survey/questions/0/id"),
        ({"kind": "stars"}, "/survey/questions/0/kind"),
        ({"options": []}, "/survey/questions/0/options"),
        ({"text": {"en": "{surname}?"}}, "/survey/questions/0/text/en"),
        ({"show_if": {"all": [{"of": "ease", "at_most": 2}]}}, "/survey/questions/0/show_if/all/0/of"),
        ({"show_if": {"all": [{"of": "score", "at_least": 9}, {"of": "band", "any_of": ["detractor"]}]}},
         "/survey/questions/0/show_if"),
        ({"unknown": 1}, "/survey/questions/0/unknown"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_question_is_pointed_at(
    alice: Tenant, changes: dict[str, Any], pointer: str
) -> None:
    survey = {**SURVEY, "questions": [{**REASON, **changes}, EASE]}
    body = {"name": "After purchase", "kind": "transactional", "survey": survey}
    reply = await alice.api.post("/v1/campaigns", json=body)
    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.json()["errors"]] == [pointer]


async def test_a_launch_waits_for_every_text_of_a_question(alice: Tenant) -> None:
    untold = {**REASON, "text": {"en": "What was it?"}}
    campaign = await create(alice, survey={**SURVEY, "questions": [untold]})
    reply = await alice.api.post(f"/v1/campaigns/{campaign['id']}/launch")
    assert (reply.status_code, reply.json()["code"]) == (422, "survey_incomplete")
    assert reply.json()["errors"][0]["pointer"] == "/survey/questions/0/text/de"
    await patch(alice, campaign, survey={**SURVEY, "questions": [REASON]})
    await move(alice, campaign, "launch")


async def test_after_the_launch_another_question_is_a_new_version(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice), "launch")
    edited = await patch(alice, campaign, survey={**SURVEY, "questions": [REASON]}, survey_change="wording")
    assert edited.json()["survey_version"] == 2
