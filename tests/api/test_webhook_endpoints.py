from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.events import EventType
from app.domain.ids import parsed, shown
from tests.builders import a_campaign, rows
from tests.conftest import Tenant, a_tenant, running_app

URL = "https://hooks.example.com/zeroten?team=cx"
PLACE = "/v1/webhook-endpoints"


async def create(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    reply = await tenant.api.post(PLACE, json={"url": URL, **fields})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


async def read(tenant: Tenant, endpoint: dict[str, Any]) -> dict[str, Any]:
    return dict((await tenant.api.get(f"{PLACE}/{endpoint['id']}")).json())


def uuid_of(endpoint: dict[str, Any]) -> UUID:
    uuid = parsed("endpoint", endpoint["id"])
    assert uuid is not None
    return uuid


async def a_delivery(engine: Engine, tenant: Tenant, endpoint: dict[str, Any], **fields: Any) -> UUID:
    row = {"workspace_id": tenant.workspace_id, "id": uuid4(), "endpoint_id": uuid_of(endpoint), "event_id": uuid4()}
    row |= {"due_at": datetime.now(UTC), **fields}
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    async with engine.write() as tx:
        await tx.execute(text(f"INSERT INTO deliveries ({names}) VALUES ({places})"), row)
        await tx.execute(
            text(
                "INSERT INTO events (workspace_id, id, type, occurred_at, body)"
                " VALUES (:workspace_id, :event_id, 'response.created', now(), '{}')"
            ),
            row,
        )
    return UUID(str(row["id"]))


async def test_a_strangers_endpoint_is_not_found(alice: Tenant, charlie: Tenant) -> None:
    endpoint = await create(alice)
    place = f"{PLACE}/{endpoint['id']}"
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"url": URL}),
        ("DELETE", "", None),
        ("POST", "/disable", None),
        ("POST", "/enable", {}),
        ("POST", "/secrets/rotate", {}),
        ("POST", "/test", None),
    ):
        reply = await charlie.api.request(method, place + path, json=body)
        assert (reply.status_code, reply.json()["code"]) == (404, "webhook_endpoint_not_found"), path
    assert (await charlie.api.get(PLACE)).json()["data"] == []
    assert (await read(alice, endpoint))["revision"] == 1


async def test_a_repeated_create_shows_the_same_endpoint_without_its_secret(alice: Tenant) -> None:
    headers = {"idempotency-key": "deploy 42"}
    first = (await alice.api.post(PLACE, json={"url": URL}, headers=headers)).json()
    again = await alice.api.post(PLACE, json={"url": URL}, headers=headers)
    assert again.status_code == 201
    assert again.json() == {**first, "secret": None}
    assert len((await alice.api.get(PLACE)).json()["data"]) == 1


async def test_what_is_created_is_read_listed_and_changed(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    filters = {
        "description": "CRM",
        "event_types": ["response.detractor", "campaign.completed"],
        "campaign_ids": [campaign],
        "bands": ["detractor", "passive"],
        "lowest_score": 0,
        "highest_score": 8,
        "recipient_properties": {"plan": ["pro", "team"], "seats": [1, 2.5], "trial": [False]},
        "has_comment": True,
        "delay_seconds": 60,
    }
    endpoint = await create(alice, **filters)
    del endpoint["secret"]
    assert {**endpoint, **filters, "event_types": sorted(filters["event_types"])} == endpoint
    assert (await read(alice, endpoint)) == endpoint
    assert (await alice.api.get(PLACE)).json()["data"] == [endpoint]
    changes = {"description": None, "event_types": [], "highest_score": None, "url": "https://other.example/"}
    changes |= {"recipient_properties": {"trial": [True]}, "has_comment": None}
    changed = (await alice.api.patch(f"{PLACE}/{endpoint['id']}", json=changes)).json()
    later = {"updated_at": changed["updated_at"], "revision": 2}
    assert changed == {**endpoint, **changes, **later}
    unchanged = (await alice.api.patch(f"{PLACE}/{endpoint['id']}", json={"delay_seconds": 60})).json()
    assert unchanged == changed


async def test_a_value_that_only_python_takes_for_the_same_is_a_change(alice: Tenant) -> None:
    endpoint = await create(alice, recipient_properties={"trial": [True]})
    changes = {"recipient_properties": {"trial": [1]}}
    changed = (await alice.api.patch(f"{PLACE}/{endpoint['id']}", json=changes)).json()
    assert (changed["recipient_properties"]["trial"], changed["revision"]) == ([1], 2)


async def test_names_may_come_twice_and_in_any_order(alice: Tenant) -> None:
    endpoint = await create(alice, event_types=["response.updated", "response.created", "response.updated"])
    assert endpoint["event_types"] == ["response.created", "response.updated"]


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"url": "http://hooks.example.com/"}, "unusable_url", "/url"),
        ({"url": "https://10.0.0.1/"}, "unusable_url", "/url"),
        ({"url": "https://localhost/"}, "unusable_url", "/url"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, "unusable_url", "/url"),
        ({"url": "https://user:pass@example.com/"}, "unusable_url", "/url"),
        ({"url": "ftp://example.com/"}, "unusable_url", "/url"),
        ({"url": "https://example.com/" + "x" * 2_000}, "validation_failed", "/url"),
        ({"url": None}, "validation_failed", "/url"),
        ({"event_types": ["response.exploded"]}, "validation_failed", "/event_types/0"),
        ({"event_types": "response.created"}, "validation_failed", "/event_types"),
        ({"bands": ["fan"]}, "validation_failed", "/bands/0"),
        ({"campaign_ids": ["camp_0198c1f2a7b3708c9d4e5f60718293a4"]}, "unknown_campaigns", "/campaign_ids"),
        ({"lowest_score": 9, "highest_score": 6}, "score_range_empty", "/highest_score"),
        ({"lowest_score": -1}, "validation_failed", "/lowest_score"),
        ({"highest_score": 11}, "validation_failed", "/highest_score"),
        ({"lowest_score": "9"}, "validation_failed", "/lowest_score"),
        ({"lowest_score": 9.5}, "validation_failed", "/lowest_score"),
        ({"has_comment": "yes"}, "validation_failed", "/has_comment"),
        ({"recipient_properties": {"plan": "pro"}}, "validation_failed", "/recipient_properties/plan"),
        ({"recipient_properties": {"plan": []}}, "validation_failed", "/recipient_properties/plan"),
        ({"recipient_properties": {"plan": [None]}}, "validation_failed", None),
        ({"recipient_properties": {"": ["pro"]}}, "validation_failed", None),
        ({"recipient_properties": {str(key): [1] for key in range(11)}}, "validation_failed", "/recipient_properties"),
        ({"recipient_properties": None}, "validation_failed", "/recipient_properties"),
        ({"delay_seconds": 3_601}, "validation_failed", "/delay_seconds"),
        ({"delay_seconds": -1}, "validation_failed", "/delay_seconds"),
        ({"description": "x\x00"}, "unreadable_json", None),
        ({"colour": "red"}, "validation_failed", "/colour"),
    ],
)
async def test_bad_fields_are_named(alice: Tenant, fields: dict[str, Any], code: str, pointer: str | None) -> None:
    endpoint = await create(alice)
    for reply in (
        await alice.api.post(PLACE, json={"url": URL, **fields}),
        await alice.api.patch(f"{PLACE}/{endpoint['id']}", json=fields),
    ):
        assert (reply.status_code, reply.json()["code"]) == (422, code), reply.text
        if pointer:
            assert reply.json()["errors"][0]["pointer"] == pointer
    assert (await read(alice, endpoint))["revision"] == 1


async def test_a_range_may_not_become_empty_by_an_edit(alice: Tenant) -> None:
    endpoint = await create(alice, highest_score=6)
    reply = await alice.api.patch(f"{PLACE}/{endpoint['id']}", json={"lowest_score": 7})
    assert reply.json()["code"] == "score_range_empty"


async def test_another_workspaces_campaign_cannot_be_filtered_by(
    alice: Tenant, charlie: Tenant, engine: Engine
) -> None:
    campaign = await a_campaign(engine, charlie.workspace_id)
    reply = await alice.api.post(PLACE, json={"url": URL, "campaign_ids": [campaign]})
    assert (reply.status_code, reply.json()["code"]) == (422, "unknown_campaigns")


async def test_operators_may_open_networks(own_database_url: str, own_engine: Engine) -> None:
    async with (
        running_app(own_database_url, receivers_allow_cidrs="10.1.0.0/16") as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        assert (await alice.api.post(PLACE, json={"url": "http://10.1.2.3:8080/"})).status_code == 201
        assert (await alice.api.post(PLACE, json={"url": "http://10.2.2.3:8080/"})).status_code == 422


async def test_a_workspace_has_only_so_many(alice: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.operations.webhook_endpoints.MOST_ENDPOINTS", 2)
    first, _ = await create(alice), await create(alice)
    assert (await alice.api.post(PLACE, json={"url": URL})).json()["code"] == "too_many_webhook_endpoints"
    await alice.api.delete(f"{PLACE}/{first['id']}")
    await create(alice)


async def test_disabling_and_enabling(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice)
    delivery = await a_delivery(engine, alice, endpoint)
    disabled = (await alice.api.post(f"{PLACE}/{endpoint['id']}/disable")).json()
    assert (disabled["state"], disabled["disabled_reason"]) == ("disabled", "requested")
    assert (await alice.api.post(f"{PLACE}/{endpoint['id']}/disable")).json() == disabled
    told = (await alice.api.get("/v1/events", params={"type": EventType.ENDPOINT_DISABLED})).json()["data"]
    assert [event["data"]["endpoint"]["id"] for event in told] == [endpoint["id"]]
    refused = await alice.api.post(f"{PLACE}/{endpoint['id']}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    refused = await alice.api.post(f"/v1/deliveries/{shown('delivery', delivery)}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    enabled = (await alice.api.post(f"{PLACE}/{endpoint['id']}/enable", json={})).json()
    assert (enabled["state"], enabled["disabled_at"], enabled["disabled_reason"]) == ("enabled", None, None)
    assert enabled["was_enabled"] is False
    again = (await alice.api.post(f"{PLACE}/{endpoint['id']}/enable", json={"deliver_missed": True})).json()
    assert again == enabled | {"was_enabled": True}
    work = "SELECT due_at FROM endpoint_work WHERE endpoint_id = :id"
    assert len(await rows(engine, work, id=uuid_of(endpoint))) == 1


async def test_a_deleted_endpoint_is_gone_and_what_was_pending_cancelled(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice)
    delivery = shown("delivery", await a_delivery(engine, alice, endpoint))
    assert (await alice.api.delete(f"{PLACE}/{endpoint['id']}")).status_code == 204
    assert (await alice.api.delete(f"{PLACE}/{endpoint['id']}")).status_code == 404
    assert (await alice.api.get(f"{PLACE}/{endpoint['id']}")).status_code == 404
    assert (await alice.api.get(PLACE)).json()["data"] == []
    kept = (
        "SELECT url, (SELECT count(*) FROM endpoint_secrets WHERE endpoint_id = :id) AS secrets FROM webhook_endpoints"
    )
    assert await rows(engine, f"{kept} WHERE id = :id", id=uuid_of(endpoint)) == [{"url": "", "secrets": 0}]
    cancelled = (await alice.api.get(f"/v1/deliveries/{delivery}")).json()
    assert (cancelled["state"], cancelled["attempt_count"], cancelled["next_attempt_at"]) == ("cancelled", 0, None)
    refused = await alice.api.post(f"/v1/deliveries/{delivery}/retry")
    assert (refused.status_code, refused.json()["code"]) == (404, "webhook_endpoint_not_found")


async def test_pages_of_endpoints(alice: Tenant) -> None:
    made = [(await create(alice))["id"] for _ in range(3)]
    first = (await alice.api.get(PLACE, params={"limit": 2})).json()
    second = (await alice.api.get(PLACE, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
    assert second["next_cursor"] is None


async def test_every_route_asks_for_its_scope(alice: Tenant, app: FastAPI) -> None:
    reply = await alice.api.post("/v1/api-keys", json={"name": "reader", "scopes": ["webhooks:read"]})
    headers = {"authorization": f"Bearer {reply.json()['token']}"}
    assert (await alice.api.get(PLACE, headers=headers)).status_code == 200
    refused = await alice.api.post(PLACE, json={"url": URL}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
