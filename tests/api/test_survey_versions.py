import asyncio
from typing import Any

import pytest

from tests.campaigns import SURVEY, WITHOUT, create, in_german, move, patch, read
from tests.conftest import Tenant


async def versions(tenant: Tenant, campaign: dict[str, Any], **params: Any) -> dict[str, Any]:
    return dict((await tenant.api.get(f"/v1/campaigns/{campaign['id']}/survey-versions", params=params)).json())


async def test_before_the_launch_the_first_version_is_edited_in_place(alice: Tenant) -> None:
    campaign = await create(alice)
    edited = (await patch(alice, campaign, survey=in_german())).json()
    assert edited["survey_version"] == 1
    assert edited["survey"] == in_german(follow_up={}, thank_you={}, **WITHOUT)
    assert [version["survey"] for version in (await versions(alice, campaign))["data"]] == [edited["survey"]]


@pytest.mark.parametrize("change", ["typo", "wording"])
async def test_after_the_launch_another_survey_is_a_new_version(alice: Tenant, change: str) -> None:
    campaign = await move(alice, await create(alice), "launch", "pause")
    edited = (await patch(alice, campaign, survey=in_german(), survey_change=change)).json()
    assert edited["survey_version"] == 2
    found = (await versions(alice, campaign))["data"]
    assert [(one["version"], one["change"]) for one in found] == [(2, change), (1, "first")]
    assert [one["survey"] for one in found] == [edited["survey"], campaign["survey"]]


async def test_after_the_launch_its_author_says_what_the_change_is(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice), "launch")
    reply = await patch(alice, campaign, survey=in_german(), name="Renamed")
    assert (reply.status_code, reply.json()["code"]) == (422, "survey_change_missing")
    assert await read(alice, campaign) == campaign


async def test_after_the_launch_no_language_may_lack_its_question(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice), "launch")
    reply = await patch(alice, campaign, survey={**SURVEY, "question": {"en": "Well?"}}, survey_change="wording")
    assert (reply.status_code, reply.json()["code"]) == (422, "survey_incomplete")


async def test_racing_authors_each_get_a_version(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice), "launch")
    surveys = [in_german(question={"de": f"Frage {number}?"}) for number in range(6)]
    replies = await asyncio.gather(
        *(patch(alice, campaign, survey=survey, survey_change="wording") for survey in surveys)
    )
    assert [reply.status_code for reply in replies] == [200] * 6
    assert (await read(alice, campaign))["survey_version"] == 7
    found = (await versions(alice, campaign))["data"]
    assert [one["version"] for one in found] == [7, 6, 5, 4, 3, 2, 1]
    assert {one["survey"]["question"].get("de") for one in found[:6]} == {one["question"]["de"] for one in surveys}


async def test_survey_versions_are_paged(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice), "launch")
    for number in range(2):
        await patch(alice, campaign, survey=in_german(question={"de": f"{number}?"}), survey_change="typo")
    page = await versions(alice, campaign, limit=2)
    assert [one["version"] for one in page["data"]] == [3, 2]
    page = await versions(alice, campaign, limit=2, cursor=page["next_cursor"])
    assert ([one["version"] for one in page["data"]], page["next_cursor"]) == ([1], None)
