import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from app.db.engine import Engine
from tests.builders import rows
from tests.campaigns import MOVES, SHOWN_SURVEY, SURVEY, create, in_days, in_german, itself, move, patch, read
from tests.conftest import Tenant


async def announced(engine: Engine, tenant: Tenant) -> list[dict[str, Any]]:
    query = "SELECT type, body, revision FROM events WHERE workspace_id = :id ORDER BY changed_in"
    return await rows(engine, query, id=tenant.workspace_id)


async def types(engine: Engine, tenant: Tenant) -> list[str]:
    return [event["type"] for event in await announced(engine, tenant)]


async def test_a_stranger_finds_no_trace_of_a_campaign(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    campaign = await create(alice)
    place = f"/v1/campaigns/{campaign['id']}"
    calls = [("GET", ""), ("PATCH", ""), ("GET", "/survey-versions"), *(("POST", f"/{name}") for name in MOVES)]
    for method, path in calls:
        reply = await charlie.api.request(method, place + path, json={"name": "Mine"} if method == "PATCH" else None)
        assert (reply.status_code, reply.json()["code"]) == (404, "campaign_not_found"), path
    assert (await charlie.api.get("/v1/campaigns")).json()["data"] == []
    assert await read(alice, campaign) == campaign
    assert await types(engine, charlie) == []


async def test_a_new_campaign_is_a_draft_of_what_was_sent(alice: Tenant) -> None:
    campaign = await create(
        alice, name="  Summer ", goal="onboarding", metric="csat", one_answer_per_recipient=True,
        starts_at="2026-07-01T02:00:00+02:00", ends_at="2026-08-01T00:00:00Z",
    )  # fmt: skip
    expected = {
        "name": "Summer", "kind": "transactional", "goal": "onboarding", "metric": "csat", "state": "draft",
        "one_answer_per_recipient": True, "survey_version": 1, "survey": SHOWN_SURVEY, "revision": 1,
        "starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-08-01T00:00:00Z",
        "launched_at": None, "completed_at": None, "archived_at": None,
    }  # fmt: skip
    assert expected.items() <= campaign.items()
    assert campaign["created_at"] == campaign["updated_at"]
    assert await read(alice, campaign) == campaign


async def test_name_and_kind_are_enough_for_a_draft(alice: Tenant) -> None:
    reply = await alice.api.post("/v1/campaigns", json={"name": "Pulse", "kind": "relationship"})
    assert reply.status_code == 201
    assert (reply.json()["metric"], reply.json()["survey"]["question"]) == ("nps", {})
    refused = await alice.api.post(f"/v1/campaigns/{reply.json()['id']}/launch")
    assert (refused.status_code, refused.json()["code"]) == (422, "survey_incomplete")
    assert refused.json()["errors"][0]["pointer"] == "/survey/question/en"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": None}, "/name"),
        ({"kind": "annual"}, "/kind"),
        ({"metric": "rNPS"}, "/metric"),
        ({"goal": ""}, "/goal"),
        ({"one_answer_per_recipient": 1}, "/one_answer_per_recipient"),
        ({"state": "running"}, "/state"),
        ({"starts_at": "2026-07-01"}, "/starts_at"),
        ({"starts_at": "2026-07-01T00:00:00"}, "/starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-23:00"}, "/ends_at"),
        ({"starts_at": "2026-07-02T00:00:00Z", "ends_at": "2026-07-02T00:00:00Z"}, "/ends_at"),
        ({"survey": None}, "/survey"),
        ({"survey": {**SURVEY, "languages": []}}, "/survey/languages"),
        ({"survey": {**SURVEY, "default_language": "fr"}}, "/survey/default_language"),
        ({"survey": {**SURVEY, "question": {"en": "x" * 1001}}}, "/survey/question/en"),
        ({"survey": {**SURVEY, "question": {"fr": "Ça va ?"}}}, "/survey/question/fr"),
        ({"survey": {**SURVEY, "question": {"en": " "}}}, "/survey/question/en"),
        ({"survey": {**SURVEY, "question": {"en": "Dear {name}"}}}, "/survey/question/en"),
        ({"survey": {**SURVEY, "question": {str(i): "x" for i in range(51)}}}, "/survey/question"),
        ({"survey": {**SURVEY, "follow_up": {"critic": {"en": "Why?"}}}}, "/survey/follow_up/critic"),
        ({"survey": {**SURVEY, "thank_you": {"passive": {"en": "Thanks"}}}}, "/survey/thank_you/passive/en"),
        ({"survey": {**SURVEY, "thank_you": {"passive": {"en": {"text": "T", "link": "http://x.example"}}}}},
         "/survey/thank_you/passive/en/link"),
        ({"metric": "thumbs", "survey": {**SURVEY, "follow_up": {"passive": {"en": "?"}}}},
         "/survey/follow_up/passive"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_pointed_at_and_nothing_is_made(
    alice: Tenant, changes: dict[str, Any], pointer: str
) -> None:
    body = {"name": "After purchase", "kind": "transactional", "survey": SURVEY, **changes}
    reply = await alice.api.post("/v1/campaigns", json=body)
    assert reply.status_code == 422
    assert pointer in [error["pointer"] for error in reply.json()["errors"]]
    assert (await alice.api.get("/v1/campaigns")).json()["data"] == []


async def test_a_repeated_key_makes_one_campaign(alice: Tenant, engine: Engine) -> None:
    body = {"name": "Pulse", "kind": "relationship"}
    replies = [await alice.api.post("/v1/campaigns", json=body, headers={"idempotency-key": "pulse"}) for _ in range(2)]
    assert replies[0].json() == replies[1].json()
    assert [reply.headers.get("idempotent-replayed") for reply in replies] == [None, "true"]
    assert await types(engine, alice) == ["campaign.created"]


@pytest.mark.parametrize(
    ("moves", "state"),
    [
        (["launch"], "running"),
        (["launch", "pause"], "paused"),
        (["launch", "pause", "resume"], "running"),
        (["launch", "pause", "complete"], "completed"),
        (["launch", "complete", "archive"], "archived"),
        (["archive"], "archived"),
    ],
)
async def test_moves_lead_through_its_life_and_are_announced(
    alice: Tenant, engine: Engine, moves: Sequence[str], state: str
) -> None:
    campaign = await move(alice, await create(alice), *moves)
    assert (campaign["state"], campaign["revision"]) == (state, 1 + len(moves))
    for stamp, stamped_by in (("launched_at", "launch"), ("completed_at", "complete"), ("archived_at", "archive")):
        assert (campaign[stamp] is not None) == (stamped_by in moves)
    past = {
        "launch": "launched",
        "pause": "paused",
        "resume": "resumed",
        "complete": "completed",
        "archive": "archived",
    }
    expected = ["campaign.created", *(f"campaign.{past[name]}" for name in moves)]
    events = await announced(engine, alice)
    assert [event["type"] for event in events] == expected
    assert [event["revision"] for event in events] == list(range(1, len(events) + 1))


async def test_an_event_shows_what_the_api_shows(alice: Tenant, engine: Engine) -> None:
    campaign = await move(alice, await create(alice, starts_at=in_days(-1), ends_at=in_days(1.5)), "launch")
    body = (await announced(engine, alice))[-1]["body"]
    assert body.keys() == {"campaign"}
    assert _instants_read(body["campaign"]) == _instants_read(campaign)


def _instants_read(campaign: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value else value
        for name, value in campaign.items()
    }


@pytest.mark.parametrize(
    ("moves", "refused"),
    [(["launch"], "launch"), ([], "pause"), (["launch", "complete"], "resume"), (["archive"], "launch")],
)
async def test_a_refused_move_says_which_are_allowed_and_changes_nothing(
    alice: Tenant, engine: Engine, moves: Sequence[str], refused: str
) -> None:
    campaign = await move(alice, await create(alice), *moves)
    before = await types(engine, alice)
    reply = await alice.api.post(f"/v1/campaigns/{campaign['id']}/{refused}")
    assert (reply.status_code, reply.json()["code"]) == (409, "campaign_move_refused")
    assert reply.json()["state"] == campaign["state"]
    assert refused not in reply.json()["allowed"]
    assert await read(alice, campaign) == campaign
    assert await types(engine, alice) == before


@pytest.mark.parametrize(("first", "second"), [("pause", "pause"), ("pause", "complete"), ("complete", "complete")])
async def test_of_two_moves_that_race_the_second_is_judged_by_where_the_first_led(
    alice: Tenant, engine: Engine, first: str, second: str
) -> None:
    for _ in range(5):
        campaign = await move(alice, await create(alice), "launch")
        place = f"/v1/campaigns/{campaign['id']}"
        replies = await asyncio.gather(*(alice.api.post(f"{place}/{name}") for name in [first, first, second, second]))
        won = [reply.json()["state"] for reply in replies if reply.status_code == 200]
        assert sorted(won) in ([["paused"]] if first == second == "pause" else [["completed"], ["completed", "paused"]])
        assert {reply.json()["code"] for reply in replies if reply.status_code != 200} == {"campaign_move_refused"}
        assert (await read(alice, campaign))["revision"] == 2 + len(won)


async def test_launched_before_its_start_a_campaign_is_scheduled(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice, starts_at=in_days(1)), "launch")
    assert campaign["state"] == "scheduled"


async def test_a_campaign_whose_end_has_passed_is_not_launched(alice: Tenant) -> None:
    campaign = await create(alice, ends_at=in_days(-1))
    reply = await alice.api.post(f"/v1/campaigns/{campaign['id']}/launch")
    assert (reply.status_code, reply.json()["code"]) == (409, "campaign_move_refused")


async def test_an_edit_changes_what_it_names_and_null_clears(alice: Tenant, engine: Engine) -> None:
    campaign = await create(alice, goal="onboarding", starts_at=in_days(1))
    edited = (await patch(alice, campaign, name="Renamed", starts_at=None, metric="stars")).json()
    assert itself(edited) == {
        **campaign, "name": "Renamed", "starts_at": None, "metric": "stars",
        "revision": 2, "updated_at": edited["updated_at"],
    }  # fmt: skip
    assert edited["updated_at"] > campaign["updated_at"]
    assert (await announced(engine, alice))[-1]["body"]["campaign"]["name"] == "Renamed"


async def test_an_edit_that_changes_nothing_is_no_news(alice: Tenant, engine: Engine) -> None:
    campaign = await create(alice, starts_at="2026-07-01T00:00:00Z")
    same = {"name": campaign["name"], "starts_at": "2026-07-01T02:00:00+02:00", "survey": SURVEY}
    assert itself((await patch(alice, campaign, **same)).json()) == campaign
    assert itself((await patch(alice, campaign)).json()) == campaign
    assert await types(engine, alice) == ["campaign.created"]


@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"kind": None}, {"metric": None}, {"one_answer_per_recipient": None}, {"survey": None},
     {"state": "running"}, {"survey_change": "typo"}, {"survey_change": "first", "survey": SURVEY}],
)  # fmt: skip
async def test_an_edit_that_makes_no_sense_is_refused(alice: Tenant, changes: dict[str, Any]) -> None:
    campaign = await create(alice)
    assert (await patch(alice, campaign, **changes)).status_code == 422
    assert await read(alice, campaign) == campaign


async def test_dates_are_checked_against_those_that_stay(alice: Tenant) -> None:
    campaign = await create(alice, starts_at=in_days(5))
    reply = await patch(alice, campaign, ends_at=in_days(4))
    assert (reply.status_code, reply.json()["code"]) == (422, "campaign_ends_before_start")
    assert (await patch(alice, campaign, ends_at=in_days(4), starts_at=in_days(3))).status_code == 200


async def test_a_drafts_survey_is_checked_against_its_new_metric(alice: Tenant) -> None:
    campaign = await create(alice, survey={**SURVEY, "follow_up": {"passive": {"en": "Why?"}}})
    reply = await patch(alice, campaign, metric="thumbs")
    assert (reply.status_code, reply.json()["code"]) == (422, "survey_invalid")
    assert (await patch(alice, campaign, metric="thumbs", survey=SURVEY)).status_code == 200


@pytest.mark.parametrize("changes", [{"metric": "csat"}, {"kind": "relationship"}])
async def test_metric_and_kind_are_fixed_at_launch(alice: Tenant, changes: dict[str, Any]) -> None:
    campaign = await move(alice, await create(alice), "launch")
    reply = await patch(alice, campaign, **changes, name="Renamed")
    assert (reply.status_code, reply.json()["code"]) == (409, "campaign_field_fixed")
    assert await read(alice, campaign) == campaign
    assert (await patch(alice, campaign, metric="nps", kind="transactional", name="Renamed")).status_code == 200


async def test_the_start_is_fixed_once_it_has_passed(alice: Tenant) -> None:
    running = await move(alice, await create(alice), "launch")
    reply = await patch(alice, running, starts_at=in_days(1))
    assert (reply.status_code, reply.json()["code"]) == (409, "campaign_field_fixed")
    coming = await move(alice, await create(alice, starts_at=in_days(1)), "launch")
    assert (await patch(alice, coming, starts_at=in_days(2))).status_code == 200


async def test_an_archived_campaign_cannot_be_edited(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice), "archive")
    for changes in ({"name": "Renamed"}, {"survey": in_german(), "survey_change": "wording"}):
        assert (await patch(alice, campaign, **changes)).json()["code"] == "campaign_field_fixed"
    assert await read(alice, campaign) == campaign


async def test_lists_are_filtered_and_paged(alice: Tenant) -> None:
    first = await create(alice, name="1")
    second = await move(alice, await create(alice, name="2", kind="relationship"), "launch")
    third = await create(alice, name="3", metric="stars")

    async def names(**params: Any) -> list[str]:
        return [one["name"] for one in (await alice.api.get("/v1/campaigns", params=params)).json()["data"]]

    assert await names() == ["3", "2", "1"]
    assert await names(state="running") == ["2"]
    assert await names(state="draft", metric="nps") == ["1"]
    assert await names(kind="transactional") == ["3", "1"]
    assert await names(metric="ces") == []
    page = (await alice.api.get("/v1/campaigns", params={"limit": 2})).json()
    assert page["data"] == [third, second]
    rest = await alice.api.get("/v1/campaigns", params={"limit": 2, "cursor": page["next_cursor"]})
    assert rest.json() == {"data": [first], "next_cursor": None}


@pytest.mark.parametrize("params", [{"state": "closed"}, {"kind": ""}, {"metric": "x\x00"}, {"limit": 501}])
async def test_a_filter_that_makes_no_sense_is_refused(alice: Tenant, params: dict[str, Any]) -> None:
    assert (await alice.api.get("/v1/campaigns", params=params)).status_code == 422


async def test_whoever_polls_for_changes_sees_each(alice: Tenant) -> None:
    first, second = await create(alice, name="1"), await create(alice, name="2")
    page = (await alice.api.get("/v1/campaigns", params={"updated_after": first["created_at"]})).json()
    assert [one["name"] for one in page["data"]] == ["1", "2"]
    await patch(alice, first, goal="changed")
    page = (await alice.api.get("/v1/campaigns", params={"cursor": page["next_cursor"]})).json()
    assert [(one["name"], one["goal"]) for one in page["data"]] == [("1", "changed")]
    page = (await alice.api.get("/v1/campaigns", params={"cursor": page["next_cursor"]})).json()
    assert page["data"] == []
    assert second["revision"] == 1
