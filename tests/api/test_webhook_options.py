"""How an endpoint wants to be told."""

import json
from typing import Any

import pytest

from app.db.engine import Engine
from tests.api.test_webhook_endpoints import PLACE, URL, create, read, uuid_of
from tests.builders import a_campaign, rows
from tests.conftest import Tenant

SECRETS = {"headers": {"Authorization": "Bearer 0123456789abcdef"}, "delighted_key": "delighted-0123456789"}
MASKED = {"headers": {"authorization": "…cdef"}, "delighted_key": "…6789"}


async def edit(tenant: Tenant, endpoint: dict[str, Any], **changes: Any) -> dict[str, Any]:
    reply = await tenant.api.patch(f"{PLACE}/{endpoint['id']}", json=changes)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_values_of_headers_and_keys_are_stored_sealed_and_shown_masked(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice, **SECRETS)
    assert {**endpoint, **MASKED} == endpoint
    assert {**(await read(alice, endpoint)), **MASKED} == await read(alice, endpoint)
    stored = "SELECT w::text AS row, sealed_options FROM webhook_endpoints w WHERE id = :id"
    (row,) = await rows(engine, stored, id=uuid_of(endpoint))
    for secret in ("Bearer", "0123456789"):
        assert secret not in row["row"]
        assert secret.encode() not in bytes(row["sealed_options"])


async def test_they_are_edited_one_by_one(alice: Tenant) -> None:
    endpoint = await create(alice, **SECRETS)
    changed = await edit(alice, endpoint, headers={"X-Team": "cx"})
    assert changed["headers"] == {"authorization": "…cdef", "x-team": "…"}
    assert changed["delighted_key"] == "…6789"
    assert await edit(alice, endpoint, headers={"x-team": "cx"}, delighted_key=SECRETS["delighted_key"]) == changed
    assert (await edit(alice, endpoint, headers={"authorization": None}))["headers"] == {"x-team": "…"}
    cleared = await edit(alice, endpoint, headers=None, delighted_key=None)
    assert (cleared["headers"], cleared["delighted_key"], cleared["revision"]) == ({}, None, 4)


async def test_nothing_of_them_is_left_of_a_deleted_endpoint(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice, **SECRETS)
    assert (await alice.api.delete(f"{PLACE}/{endpoint['id']}")).status_code == 204
    kept = "SELECT sealed_options, header_hints::text, delighted_key_hint FROM webhook_endpoints WHERE id = :id"
    (row,) = await rows(engine, kept, id=uuid_of(endpoint))
    assert list(row.values()) == [None, "{}", None]


async def test_they_go_to_another_host_only_with_who_knows_them(alice: Tenant) -> None:
    endpoint = await create(alice, **SECRETS)
    place, elsewhere = f"{PLACE}/{endpoint['id']}", {"url": "https://elsewhere.example.org/"}
    for given, missing in (
        ({}, ["/headers/authorization", "/delighted_key"]),
        ({"headers": {"X-Team": "cx"}, "delighted_key": None}, ["/headers/authorization"]),
        ({"headers": None}, ["/delighted_key"]),
        (SECRETS | {"url": URL.replace("https:", "http:")}, None),
    ):
        refused = await alice.api.patch(place, json={**elsewhere, **given})
        assert refused.status_code == 422, refused.text
        if missing is not None:
            assert refused.json()["code"] == "secrets_needed_again"
            assert [error["pointer"] for error in refused.json()["errors"]] == missing
    assert await read(alice, endpoint) == {name: endpoint[name] for name in await read(alice, endpoint)}
    assert {**(await edit(alice, endpoint, url=f"{URL}?same=host")), **MASKED}["headers"] == MASKED["headers"]
    again = {"headers": {"authorization": SECRETS["headers"]["Authorization"]}, "delighted_key": None}  # type: ignore[index]
    moved = await edit(alice, endpoint, **elsewhere, **again)
    assert (moved["url"], moved["headers"]) == (elsewhere["url"], MASKED["headers"])
    bare = await edit(alice, endpoint, url=URL, headers=None)
    assert (bare["url"], bare["headers"]) == (URL, {})


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"headers": {"Host": "example.com"}}, "header_refused", "/headers/Host"),
        ({"headers": {"webhook-id": "1"}}, "header_refused", "/headers/webhook-id"),
        ({"headers": {"x-a": "1\r\nx-b: 2"}}, "header_refused", "/headers/x-a"),
        ({"headers": {"a/b": "1"}}, "header_refused", "/headers/a~1b"),
        ({"headers": {"x-a": "x" * 1_025}}, "validation_failed", "/headers/x-a"),
        ({"headers": {f"x-{number}": "1" for number in range(21)}}, None, "/headers"),
        ({"headers": ["x-a"]}, "validation_failed", "/headers"),
        ({"payload": "fat"}, "validation_failed", "/payload"),
        ({"payload": None}, "validation_failed", "/payload"),
        ({"template": {"source": "x", "content_type": "text/html"}}, "validation_failed", "/template/content_type"),
        ({"template": {"source": ""}}, "validation_failed", "/template/source"),
        ({"template": {"source": "x" * 8_001}}, "validation_failed", "/template/source"),
        ({"template": {"source": "{{ nobody }}"}}, "template_refused", "/template/source"),
        ({"template": {"source": "not JSON"}}, "template_refused", "/template/source"),
        ({"template": "{}"}, "validation_failed", "/template"),
        ({"delighted_key": "short"}, "validation_failed", "/delighted_key"),
        ({"delighted_key": "with a space"}, "validation_failed", "/delighted_key"),
    ],
)
async def test_bad_options_are_named(alice: Tenant, fields: dict[str, Any], code: str | None, pointer: str) -> None:
    endpoint = await create(alice)
    for reply in (
        await alice.api.post(PLACE, json={"url": URL, **fields}),
        await alice.api.patch(f"{PLACE}/{endpoint['id']}", json=fields),
    ):
        assert reply.status_code == 422, reply.text
        assert code is None or reply.json()["code"] == code
        assert reply.json()["errors"][0]["pointer"] == pointer
    assert (await read(alice, endpoint))["revision"] == 1


async def test_a_connector_takes_none_of_them(alice: Tenant) -> None:
    slack = {"kind": "slack", "settings": {"url": "https://hooks.slack.com/services/T0/B0/x"}}
    made = await alice.api.post(PLACE, json=slack)
    assert made.status_code == 201, made.text
    for name, value in {**SECRETS, "payload": "thin", "template": {"source": "{}"}}.items():
        for reply in (
            await alice.api.post(PLACE, json={**slack, name: value}),
            await alice.api.patch(f"{PLACE}/{made.json()['id']}", json={name: value}),
        ):
            assert (reply.status_code, reply.json()["code"]) == (422, "webhook_endpoint_is_connector"), reply.text
            assert reply.json()["errors"][0]["pointer"] == f"/{name}"


CHAT = {"source": '{"text": {{ data.response.comment | tojson }}}', "content_type": "application/json"}


async def test_a_template_is_kept_replaced_and_cleared(alice: Tenant) -> None:
    endpoint = await create(alice, template={"source": CHAT["source"]}, payload="thin")
    assert (endpoint["template"], endpoint["payload"]) == (CHAT, "thin")
    assert await edit(alice, endpoint, template=CHAT) == await read(alice, endpoint)
    plain = {"source": "{{ type }}", "content_type": "text/plain"}
    assert (await edit(alice, endpoint, template=plain, payload="full"))["template"] == plain
    cleared = await edit(alice, endpoint, template=None)
    assert (cleared["template"], cleared["payload"], cleared["revision"]) == (None, "full", 3)


async def test_a_bad_template_is_refused_with_its_line(alice: Tenant) -> None:
    endpoint = await create(alice)
    for source, line, says in (
        ("{\n{{ range(9) }}", 2, "Line 2: Call is not allowed"),
        ('{"text": "{{ data.response.comment }}"}', None, "quotes"),
        ('{"n":\n{{ data.response.comment + 1 }}}', None, "Line 2"),
    ):
        reply = await alice.api.patch(f"{PLACE}/{endpoint['id']}", json={"template": {"source": source}})
        assert (reply.status_code, reply.json()["code"]) == (422, "template_refused"), reply.text
        assert says in reply.json()["detail"]
        assert reply.json()["line"] == line


async def test_a_template_for_other_events_is_not_tried_on_answers(alice: Tenant) -> None:
    source = '{"rows": {{ data.import.row_count }}}'
    endpoint = await create(alice, event_types=["import.completed"], template={"source": source})
    reply = await alice.api.patch(f"{PLACE}/{endpoint['id']}", json={"event_types": []})
    assert reply.json()["code"] == "template_refused"


async def preview(tenant: Tenant, endpoint: dict[str, Any], **body: Any) -> Any:
    reply = await tenant.api.post(f"{PLACE}/{endpoint['id']}/preview", json=body)
    return reply.json() if reply.is_success else (reply.status_code, reply.json()["code"])


async def test_a_preview_shows_a_made_up_event_as_the_endpoint_would_get_it(alice: Tenant) -> None:
    endpoint = await create(alice)
    shown = await preview(alice, endpoint)
    assert shown["content_type"] == "application/json"
    assert json.loads(shown["body"])["type"] == "response.created"
    other = await preview(alice, endpoint, event_type="campaign.launched", payload="thin")
    assert set(json.loads(other["body"])["data"]) == {"campaign"}
    tried = await preview(alice, endpoint, template={"source": "{{ livemode }}", "content_type": "text/plain"})
    assert tried == {"content_type": "text/plain", "body": "true"}
    assert (await read(alice, endpoint))["template"] is None


async def test_a_preview_of_a_saved_template_and_of_an_event_that_happened(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    answer = {"campaign_id": campaign, "score": 3, "comment": 'Slow, "sorry"'}
    assert (await alice.api.post("/v1/responses", json=answer)).status_code == 201
    (event,) = (await alice.api.get("/v1/events", params={"type": "response.created"})).json()["data"]
    endpoint = await create(alice, template=CHAT)
    shown = await preview(alice, endpoint, event_id=event["id"])
    assert json.loads(shown["body"]) == {"text": 'Slow, "sorry"'}
    full = await preview(alice, endpoint, event_id=event["id"], template=None)
    assert json.loads(full["body"]) == event


async def test_a_preview_of_what_happened_needs_the_right_to_read_events(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    assert (await alice.api.post("/v1/responses", json={"campaign_id": campaign, "score": 3})).status_code == 201
    (event,) = (await alice.api.get("/v1/events", params={"type": "response.created"})).json()["data"]
    key = (await alice.api.post("/v1/api-keys", json={"name": "hooks", "scopes": ["webhooks:write"]})).json()
    asked = f"{PLACE}/{(await create(alice))['id']}/preview"
    headers = {"authorization": f"Bearer {key['token']}"}
    assert (await alice.api.post(asked, json={}, headers=headers)).status_code == 200
    refused = await alice.api.post(asked, json={"event_id": event["id"]}, headers=headers)
    assert (refused.status_code, refused.json()["scope"]) == (403, "events:read")


async def test_a_preview_says_what_is_wrong_and_shows_nothing_of_strangers(alice: Tenant, charlie: Tenant) -> None:
    endpoint = await create(alice)
    assert await preview(alice, endpoint, template={"source": "no"}) == (422, "template_refused")
    assert await preview(alice, endpoint, event_id="evt_" + "0" * 32) == (404, "event_not_found")
    assert await preview(charlie, endpoint) == (404, "webhook_endpoint_not_found")
