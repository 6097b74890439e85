"""Who gets which event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.db.identifiers import new_id
from app.operations.fan_out import FIRST, fan_out
from tests.workers.scene import Scene

ORDERS, STORES = uuid4(), uuid4()
DETRACTOR = {"type": "response.created", "campaign_id": ORDERS, "band": "detractor", "score": 3}
PROMOTER = {"type": "response.created", "campaign_id": STORES, "band": "promoter", "score": 10}
WON_BACK = {
    "type": "response.band_changed",
    "campaign_id": ORDERS,
    "band": "promoter",
    "previous_band": "detractor",
    "score": 9,
}
COMMENTED = {**DETRACTOR, "type": "response.updated"}
IMPORTED = {**DETRACTOR, "type": "response.imported"}
LAUNCHED = {"type": "campaign.launched", "campaign_id": ORDERS}
ARRIVED = {"type": "recipient.created"}
PRO = {"recipient": {"properties": {"plan": "pro", "seats": 12, "trial": False}}}
TYPED = {**DETRACTOR, "body": json.dumps({"response": {"comment": "Slow"}} | PRO)}
SILENT = {**PROMOTER, "body": json.dumps({"response": {"comment": None}} | PRO)}
NOBODYS = {**DETRACTOR, "body": json.dumps({"response": {"comment": "Dear"}, "recipient": None})}
FOUND = {**ARRIVED, "body": json.dumps({"recipient": {"properties": {"plan": "team"}}})}
ERASED = {**ARRIVED, "body": json.dumps({"redacted": True})}
TELLING = [TYPED, SILENT, NOBODYS, FOUND, ERASED]
EVENTS = [DETRACTOR, PROMOTER, WON_BACK, COMMENTED, IMPORTED, LAUNCHED, ARRIVED]


async def an_endpoint(database: asyncpg.Connection, workspace_id: UUID, **fields: Any) -> UUID:
    row = {"workspace_id": workspace_id, "id": uuid4(), "url": "http://127.0.0.1:9/", **fields}
    await _insert(database, "webhook_endpoints", row)
    return UUID(str(row["id"]))


async def an_event(
    database: asyncpg.Connection, workspace_id: UUID, *, only: UUID | None = None, **fields: Any
) -> UUID:
    now = datetime.now(UTC)
    row = {"workspace_id": workspace_id, "id": new_id(now), "occurred_at": now, "body": json.dumps({}), **fields}
    await _insert(database, "events", row)
    await _insert(database, "event_queue", {"workspace_id": workspace_id, "event_id": row["id"], "endpoint_id": only})
    return UUID(str(row["id"]))


async def _insert(database: asyncpg.Connection, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        pytest.param({}, EVENTS, id="no filter: everything"),
        pytest.param({"event_types": ["response.created"]}, [DETRACTOR, PROMOTER], id="a type"),
        pytest.param(
            {"event_types": ["response.detractor"]}, [DETRACTOR, WON_BACK], id="arrived in a band, or left it"
        ),
        pytest.param({"event_types": ["response.promoter"]}, [PROMOTER, WON_BACK], id="or moved into it"),
        pytest.param({"event_types": ["response.passive"]}, [], id="a band nobody is in"),
        pytest.param(
            {"event_types": ["response.detractor", "campaign.launched"]}, [DETRACTOR, WON_BACK, LAUNCHED], id="both"
        ),
        pytest.param({"campaign_ids": [ORDERS]}, [DETRACTOR, WON_BACK, COMMENTED, IMPORTED, LAUNCHED], id="a campaign"),
        pytest.param({"campaign_ids": [ORDERS, STORES]}, EVENTS[:-1], id="campaigns: nothing without one"),
        pytest.param({"bands": ["promoter"]}, [PROMOTER, WON_BACK], id="a band"),
        pytest.param({"bands": ["detractor"]}, [DETRACTOR, WON_BACK, COMMENTED, IMPORTED], id="a band, or just left"),
        pytest.param({"lowest_score": 9}, [PROMOTER, WON_BACK], id="from a score"),
        pytest.param({"highest_score": 9}, [DETRACTOR, WON_BACK, COMMENTED, IMPORTED], id="up to a score"),
        pytest.param({"lowest_score": 9, "highest_score": 9}, [WON_BACK], id="one score"),
        pytest.param({"event_types": ["response.created"], "bands": ["promoter"]}, [PROMOTER], id="filters add up"),
    ],
)
async def test_an_endpoint_gets_what_its_filters_let_pass(
    scene: Scene, filters: dict[str, Any], passing: list[dict[str, Any]]
) -> None:
    await _passes(scene, filters, EVENTS, passing)


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        pytest.param({}, TELLING, id="no filter: everything"),
        pytest.param({"has_comment": True}, [TYPED, NOBODYS], id="a comment"),
        pytest.param({"has_comment": False}, [SILENT], id="no comment: answers only"),
        pytest.param({"recipient_properties": {"plan": ["pro"]}}, [TYPED, SILENT], id="a property"),
        pytest.param({"recipient_properties": {"plan": ["pro", "team"]}}, [TYPED, SILENT, FOUND], id="either value"),
        pytest.param(
            {"recipient_properties": {"plan": ["team", "pro"], "seats": [12]}}, [TYPED, SILENT], id="both keys"
        ),
        pytest.param({"recipient_properties": {"seats": [12.0]}}, [TYPED, SILENT], id="numbers are numbers"),
        pytest.param({"recipient_properties": {"seats": ["12"]}}, [], id="and no text"),
        pytest.param({"recipient_properties": {"trial": [False]}}, [TYPED, SILENT], id="false is a value"),
        pytest.param({"recipient_properties": {"trial": [0]}}, [], id="which zero is not"),
        pytest.param({"recipient_properties": {"country": ["DE"]}}, [], id="a key nobody has"),
        pytest.param({"recipient_properties": {"plan": ["pro"]}, "has_comment": True}, [TYPED], id="filters add up"),
        pytest.param({"recipient_properties": {"plan": ["pro"]}, "bands": ["promoter"]}, [SILENT], id="cheap ones too"),
    ],
)
async def test_filters_look_at_what_the_event_says(
    scene: Scene, filters: dict[str, Any], passing: list[dict[str, Any]]
) -> None:
    if "recipient_properties" in filters:
        filters = {**filters, "recipient_properties": json.dumps(filters["recipient_properties"])}
    await _passes(scene, filters, TELLING, passing)


async def _passes(
    scene: Scene, filters: Mapping[str, Any], events: list[dict[str, Any]], passing: list[dict[str, Any]]
) -> None:
    await an_endpoint(scene.database, scene.tenant.workspace_id, **filters)
    ids = {await an_event(scene.database, scene.tenant.workspace_id, **event): event for event in events}
    await fan_out(scene.database)
    got = [ids[row["event_id"]] for row in await scene.database.fetch("SELECT event_id FROM deliveries")]
    assert sorted(got, key=str) == sorted(passing, key=str)
    assert await scene.database.fetchval("SELECT count(*) FROM event_queue") == 0


async def test_an_event_goes_once_to_each_of_those_who_want_it(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    both = {
        await an_endpoint(scene.database, workspace_id, event_types=types) for types in ([], ["response.detractor"])
    }
    await an_endpoint(scene.database, workspace_id, event_types=["response.promoter"])
    await an_endpoint(scene.database, workspace_id, disabled_at=datetime.now(UTC))
    await an_endpoint(scene.database, workspace_id, deleted_at=datetime.now(UTC))
    await an_endpoint(scene.database, scene.tenant.test_workspace_id)
    event_id = await an_event(scene.database, workspace_id, **DETRACTOR)
    done = await fan_out(scene.database)
    assert (done.events, done.deliveries) == (1, 2)
    # As after a crash in the middle, were it not one transaction: the same again makes nothing new.
    await _insert(scene.database, "event_queue", {"workspace_id": workspace_id, "event_id": event_id})
    assert (await fan_out(scene.database)).deliveries == 0
    rows = await scene.database.fetch("SELECT event_id, endpoint_id FROM deliveries")
    assert {(row["event_id"], row["endpoint_id"]) for row in rows} == {(event_id, endpoint) for endpoint in both}


async def test_a_delay_postpones_and_a_test_send_does_not_wait(scene: Scene) -> None:
    workspace_id = scene.tenant.workspace_id
    endpoint_id = await an_endpoint(scene.database, workspace_id, delay_seconds=600)
    await an_event(scene.database, workspace_id, **DETRACTOR)
    await fan_out(scene.database)
    assert await scene.database.fetchval("SELECT due_at - created_at FROM deliveries") == timedelta(minutes=10)
    assert await scene.database.fetchval("SELECT due_at > now() + interval '9 min' FROM endpoint_work")
    await an_event(scene.database, workspace_id, type="endpoint.test", only=endpoint_id)
    await fan_out(scene.database)
    assert await scene.database.fetchval("SELECT count(*) FROM deliveries WHERE due_at = created_at") == 1
    assert await scene.database.fetchval("SELECT due_at <= now() FROM endpoint_work")


async def test_one_tenants_flood_holds_up_nobody_else(scene: Scene) -> None:
    tenants = sorted([scene.tenant.workspace_id, scene.tenant.test_workspace_id])
    for workspace_id in tenants:
        await an_endpoint(scene.database, workspace_id)
    for workspace_id, count in zip(tenants, (30, 1), strict=True):
        for _ in range(count):
            await an_event(scene.database, workspace_id, **DETRACTOR)
    done = await fan_out(scene.database, limit=10)
    assert (done.events, done.last_workspace) == (10, tenants[0])
    done = await fan_out(scene.database, limit=10, behind=tenants[0])
    assert (done.events, done.last_workspace) == (1, tenants[1])
    assert (await fan_out(scene.database, limit=100, behind=FIRST)).events == 20


async def test_what_another_worker_holds_is_skipped(scene: Scene) -> None:
    await an_endpoint(scene.database, scene.tenant.workspace_id)
    await an_event(scene.database, scene.tenant.workspace_id, **DETRACTOR)
    other = await asyncpg.connect(scene.database_url)
    async with other.transaction():
        assert (await fan_out(other)).events == 1
        assert (await fan_out(scene.database)).events == 0
    await other.close()
    assert await scene.database.fetchval("SELECT count(*) FROM deliveries") == 1
