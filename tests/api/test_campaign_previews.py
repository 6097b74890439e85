"""What saving a campaign answers: its new plan beside the old, and who would read the words of a fall-back."""

from typing import Any
from unittest.mock import patch as replaced

import pytest

from app.queries import campaign_previews
from tests.askings import an_asking
from tests.campaigns import SURVEY, create, in_german, move, patch, read, saved
from tests.conftest import Tenant

TEAM = {"field": "properties.plan", "eq": "team"}
ASKED = {**SURVEY, "question": {"en": "Hello {name|there}, would you?", "de": "Und?"}}


@pytest.fixture
async def people(alice: Tenant) -> None:
    rows = [
        {"email": f"{at}@example.com", "name": "Ann" if at < 2 else None, "properties": {"plan": plan}}
        for at, plan in enumerate(["team", "team", "team", "free", "free"])
    ]
    reply = await alice.api.post("/v1/recipients/bulk", json={"recipients": rows})
    assert reply.json()["rejected"] == 0, reply.text


async def edited(alice: Tenant, campaign: dict[str, Any], **changes: Any) -> dict[str, Any]:
    reply = await patch(alice, campaign, **changes)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def counted(told: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    found = told["fallbacks"]
    return found["audience_count"], {one["field"]: one["fallback_count"] for one in found["merge_fields"]}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("moves", [("launch",), ("launch", "pause")])
async def test_another_asking_of_a_launched_campaign_shows_its_plan_beside_the_old(
    alice: Tenant, moves: tuple[str, ...]
) -> None:
    campaign = await move(alice, await create(alice, asking=an_asking()), *moves)

    told = await edited(alice, campaign, asking=an_asking(audience=TEAM))

    assert [told["plan"][when]["selected"] for when in ("before", "after")] == [5, 3]
    assert told["plan"]["is_in_time"]
    assert told["asking"]["audience"] == TEAM
    none = await edited(alice, campaign, asking=None)
    assert (none["plan"]["before"]["selected"], none["plan"]["after"]) == (3, None)
    assert none["asking"] is None


async def test_what_leaves_the_asking_of_a_launched_campaign_alone_needs_no_plan(alice: Tenant) -> None:
    draft = await create(alice, asking=an_asking())
    assert (await edited(alice, draft, asking=an_asking(priority=3)))["plan"] is None
    running = await move(alice, draft, "launch")
    assert (await edited(alice, running, name="Another"))["plan"] is None
    assert (await edited(alice, running, asking=an_asking(priority=3)))["plan"] is None
    ended = await move(alice, running, "complete")
    assert (await edited(alice, ended, asking=an_asking()))["plan"] is None


@pytest.mark.usefixtures("people")
async def test_saving_says_who_would_read_a_fall_back(alice: Tenant) -> None:
    created = await saved(alice, survey=ASKED, asking=an_asking(audience=TEAM))
    assert counted(created) == (3, {"name": 1})
    assert counted(await edited(alice, created, asking=an_asking())) == (5, {"name": 3})

    running = await move(alice, created, "launch")
    question = {"de": "Hallo {name|du}, und {property.plan|der Plan} von {account|Ihnen}?"}
    rewritten = await edited(alice, running, survey=in_german(question=question), survey_change="wording")
    assert rewritten["survey_version"] == 2
    assert counted(rewritten) == (5, {"account": 5, "name": 3, "property.plan": 0})
    assert (await edited(alice, running, name="Another"))["fallbacks"] is None


@pytest.mark.usefixtures("people")
async def test_subjects_and_variants_have_merge_fields_too(alice: Tenant) -> None:
    asking = an_asking(
        email={"subject": {"en": "A word, {name|please}"}, "intro": {"en": "For {account|you}"}},
        variants=[{"key": "a"}, {"key": "b", "subject": {"en": "Your {property.plan|own} plan"}}],
    )
    created = await saved(alice, asking=asking)

    assert counted(created) == (5, {"account": 5, "name": 3, "property.plan": 0})
    check = (await alice.api.get(f"/v1/campaigns/{created['id']}/survey-check")).json()
    assert check["merge_fields"] == created["fallbacks"]["merge_fields"]


async def test_without_merge_fields_nobody_is_counted(alice: Tenant) -> None:
    assert (await saved(alice))["fallbacks"] == {"audience_count": None, "merge_fields": [], "is_in_time": True}


async def test_braces_in_a_subject_have_a_fall_back(alice: Tenant) -> None:
    asking = an_asking(email={"subject": {"en": "Hello {name}"}})
    reply = await alice.api.post("/v1/campaigns", json={"name": "A", "kind": "relationship", "asking": asking})
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/asking/email/subject/en")


@pytest.mark.usefixtures("people")
async def test_what_takes_too_long_to_find_out_is_saved_all_the_same(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice, survey=ASKED, asking=an_asking()), "launch")
    with replaced.object(campaign_previews, "LONGEST_LOOK_SECONDS", 0.001):
        told = await edited(alice, campaign, asking=an_asking(audience=_slow()))

    assert told["plan"] == {"before": None, "after": None, "is_in_time": False}
    assert told["fallbacks"] == {"audience_count": None, "merge_fields": [], "is_in_time": False}
    assert (await read(alice, campaign))["asking"]["audience"] == _slow()


@pytest.mark.usefixtures("people")
async def test_of_very_many_people_the_first_are_looked_at(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice, asking=an_asking()), "launch")
    with replaced.object(campaign_previews, "MOST_LOOKED_AT", 2):
        plan = (await edited(alice, campaign, asking=an_asking(audience=TEAM)))["plan"]

    assert [(plan[when]["selected"], plan[when]["due"], plan[when]["is_complete"]) for when in ("before", "after")] == [
        (5, 2, False), (3, 2, False)
    ]  # fmt: skip


def _slow() -> dict[str, Any]:
    """More than a thousandth of a second of conditions on history."""
    return {
        "any": [
            {"field": name, "gte": at} for at in range(1, 16) for name in ("asked_count", "answer_count", "last_score")
        ]
    }
