"""What is Alice's does not exist for Charlie, whichever way he asks: by id, in a body, a row, a filter or a cursor."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from tests.builders import a_campaign, an_answer
from tests.conftest import Tenant, a_tenant, client
from tests.contract import operations, the_document
from tests.house.premises import CALLS, MARK, House, call_of, everything_of, make

EVERY = {
    operation["operationId"]: (method, path)
    for method, path, operation in operations(the_document())
    if path.startswith("/v1/")
}
EVERYBODYS = {"get_survey_template"}  # what comes with the product
WITH_IDS = sorted(name for name, (_, path) in EVERY.items() if "{" in path and name not in EVERYBODYS)
# What Charlie may do all the same, and what he then gets. Everything else finds nothing.
MAKES_HIS_OWN = {
    "create_authorization": 201,
    "create_campaign": 201, "upsert_account": 201, "create_tracked_property": 202, "create_api_key": 201,
    "create_mail_source": 201,
    "get_workspace": 200, "update_workspace": 200, "upload_logo": 200, "delete_logo": 404, "query_recipients": 200,
    "sample_events": 200, "get_sample_size": 200, "list_survey_templates": 200,
}  # fmt: skip
REFUSES_HER_IDS = {
    "record_response": (404, "campaign_not_found"),
    "record_widget_response": (404, "campaign_not_found"),
    "record_touchpoint": (404, "recipient_not_found"),
    "upsert_recipient": (404, "account_not_found"),
    "import_recipients": (404, "campaign_not_found"),
    "preview_audience": (404, "campaign_not_found"),
    "get_score": (404, "campaign_not_found"),
    "query_score": (404, "campaign_not_found"),
    "get_question_results": (404, "campaign_not_found"),
    "create_webhook_endpoint": (422, "unknown_campaigns"),
    "check_sender_domains": (422, "sender_missing"),
}
ROWS = {"record_responses_in_bulk", "record_touchpoints_in_bulk", "upsert_recipients_in_bulk"}
LISTS = sorted(set(EVERY) - set(WITH_IDS) - set(MAKES_HIS_OWN) - set(REFUSES_HER_IDS) - ROWS - EVERYBODYS)


@pytest.fixture
async def charlie(house: House) -> AsyncIterator[Tenant]:
    async with a_tenant(house.app, house.engine, "Charlie") as tenant:
        yield tenant


@pytest.fixture(autouse=True)
async def _nothing_of_alice_changes(house: House) -> AsyncIterator[None]:
    before = await everything_of(house)
    yield
    assert await everything_of(house) == before


async def ask(house: House, charlie: Tenant, name: str, **overrides: Any) -> httpx.Response:
    method, path = EVERY[name]
    call = call_of(name, house.ids)
    if name == "record_widget_response":
        async with client(house.app) as browser:
            reply = await make(browser, method, path, call, house.ids, params={"key": charlie.publishable_key})
    else:
        reply = await make(charlie.api, method, path, call, house.ids, **overrides)
    sent = str(reply.request.url) + reply.request.content.decode(errors="replace")
    assert tells_of_alice(reply, house.ids, sent) == []
    return reply


def tells_of_alice(reply: httpx.Response, ids: Mapping[str, str], sent: str) -> list[str]:
    """Her texts and ids in a reply, but for what was asked with."""
    said = reply.text + str(reply.headers)
    hers = {MARK, *(value for value in ids.values() if "_" in value)}
    return [word for word in hers if word in said and word not in sent]


def test_every_operation_is_called_here(house: House) -> None:
    assert set(CALLS) == set(EVERY)
    assert set(re.findall(r"\{(\w+)\}", str(list(EVERY.values())))) <= set(house.ids)


@pytest.mark.parametrize("name", [name for name in WITH_IDS if EVERY[name][0] == "GET"])
async def test_alice_reads_what_is_hers(house: House, name: str) -> None:
    """Or else the tests below would prove nothing."""
    method, path = EVERY[name]
    assert (await make(house.alice.api, method, path, call_of(name, house.ids), house.ids)).status_code == 200


@pytest.mark.parametrize("name", WITH_IDS)
async def test_her_ids_lead_nowhere(house: House, charlie: Tenant, name: str) -> None:
    assert (await ask(house, charlie, name)).status_code == 404


@pytest.mark.parametrize("name", REFUSES_HER_IDS)
async def test_her_ids_in_a_body_or_a_filter_are_unknown(house: House, charlie: Tenant, name: str) -> None:
    reply = await ask(house, charlie, name)
    assert (reply.status_code, reply.json()["code"]) == REFUSES_HER_IDS[name]


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_her_ids_in_rows_are_unknown(house: House, charlie: Tenant, name: str) -> None:
    results = (await ask(house, charlie, name)).json()["results"]
    assert {result["status"] for result in results} == {404}


@pytest.mark.parametrize("name", LISTS)
async def test_lists_show_nothing_of_hers(house: House, charlie: Tenant, name: str) -> None:
    for filters in (call_of(name, house.ids).params, {}):
        reply = await ask(house, charlie, name, params=filters)
        assert reply.status_code == 200
        own = {charlie.workspace_id.hex}
        assert [row for row in reply.json()["data"] if not name.endswith("api_keys") and row["id"] not in own] == []


@pytest.mark.parametrize("name", sorted({*LISTS} - {"list_tracked_properties", "list_sender_domains"}))
async def test_her_cursors_open_nothing(house: House, charlie: Tenant, name: str) -> None:
    path = EVERY[name][1]
    cursor = {"cursor": house.cursors[path]}
    reply = await ask(house, charlie, name, params=cursor)
    assert reply.json()["data"] == []


@pytest.mark.parametrize("name", MAKES_HIS_OWN)
async def test_what_he_makes_is_his(house: House, charlie: Tenant, name: str) -> None:
    assert (await ask(house, charlie, name)).status_code == MAKES_HIS_OWN[name]


@pytest.mark.parametrize("identifier", [f"external_id:{MARK}-1", f"email:{MARK}@example.com", "phone:+4930123456"])
async def test_her_people_are_not_found_by_what_they_are_called(house: House, charlie: Tenant, identifier: str) -> None:
    assert (await charlie.api.get(f"/v1/recipients/{identifier}")).status_code == 404


async def test_the_same_identifiers_are_another_person(house: House, charlie: Tenant) -> None:
    made = await charlie.api.post("/v1/recipients", json={"external_id": f"{MARK}-1", "email": f"{MARK}@example.com"})
    assert made.status_code == 201
    assert made.json()["id"] != house.ids["recipient_id"]


async def test_her_idempotency_keys_are_hers(house: House, charlie: Tenant) -> None:
    headers = {"idempotency-key": "the same"}
    body = {"name": "Mine", "kind": "transactional"}
    async with a_tenant(house.app, house.engine, "Bob") as bob:
        first = await bob.api.post("/v1/campaigns", json=body, headers=headers)
    second = await charlie.api.post("/v1/campaigns", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_her_own_test_workspace_is_a_stranger_too(house: House) -> None:
    now, sandbox = datetime.now(UTC), house.alice.test_workspace_id
    async with house.engine.write() as tx:
        key = await issue_key(tx, sandbox, mode="test", kind=KeyKind.SECRET, name="sandbox", now=now)
    async with client(house.app, key.token) as api:
        for name in WITH_IDS:
            method, path = EVERY[name]
            reply = await make(api, method, path, call_of(name, house.ids), house.ids)
            assert reply.status_code == 404, name


async def test_her_people_do_not_answer_in_his_campaign(house: House, charlie: Tenant) -> None:
    campaign = await a_campaign(house.engine, charlie.workspace_id)
    answer = an_answer(campaign, recipient_id=house.ids["recipient_id"])
    alone = await charlie.api.post("/v1/responses", json=answer)
    assert (alone.status_code, alone.json()["code"]) == (404, "recipient_not_found")
    many = await charlie.api.post("/v1/responses/bulk", json={"responses": [an_answer(campaign), answer]})
    assert [row["status"] for row in many.json()["results"]] == [201, 404]


async def test_her_people_do_not_join_his_campaign(house: House, charlie: Tenant) -> None:
    campaign = await a_campaign(house.engine, charlie.workspace_id)
    body = {"recipient_ids": [house.ids["recipient_id"]]}
    added = await charlie.api.post(f"/v1/campaigns/{campaign}/recipients", json=body)
    assert (added.json()["added"], added.json()["unknown"]) == (0, 1)
