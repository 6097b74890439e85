"""Every event, as it really leaves, against a file that says how it has always left.

A field may be added to a version: then the file changes, and the diff says so. A field that changes or goes is a new
version in a folder of its own. `ZEROTEN_WRITE_GOLDEN=1` writes the files anew.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from app.api.event_models import PAYLOADS
from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.domain.events import SCHEMA_VERSION, EventType
from app.domain.follow_up import FollowUpState, Press
from app.domain.webhooks.attempts import Failure, Outcome
from app.domain.webhooks.delivery import DeliveryState
from app.domain.webhooks.payload import rendered
from app.operations.deliveries.claim import Lease, claim_due_deliveries
from app.operations.deliveries.settle import Attempt, Settlement, settle_deliveries
from app.operations.failing_endpoints import warn_of_failing_endpoints
from app.operations.fan_out import fan_out
from app.operations.follow_ups import follow_up
from app.workers.import_recipients import run_next_import
from tests.campaigns import create, move, patch
from tests.conftest import Tenant, a_tenant, running_app

GOLDEN = Path(__file__).parent.parent / "golden" / "events" / f"v{SCHEMA_VERSION}"
URL = "https://hooks.example.com/"
ADA = {"external_id": "4711", "email": "ada@example.com", "phone": "+4930123456", "name": "Ada", "locale": "de"}


async def test_every_event_looks_as_it_always_did(own_database_url: str, own_engine: Engine) -> None:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        await make_everything_happen(alice, app, own_engine)
        told = await first_of_each_type(alice)
    # Several are given up at the same moment, and it is nobody's business which is told of first.
    told[EventType.DELIVERY_EXHAUSTED]["data"]["delivery"]["event_type"] = EventType.CAMPAIGN_CREATED.value
    assert set(told) == set(EventType)
    for name, payload in told.items():
        PAYLOADS[EventType(name)].model_validate(payload)
        assert json.loads(rendered({**payload, "data": json.dumps(payload["data"])})) == payload
        compare(name, normalised(payload))


def compare(name: str, payload: Any) -> None:
    file = GOLDEN / f"{name}.json"
    if os.environ.get("ZEROTEN_WRITE_GOLDEN"):
        file.write_text(json.dumps(payload, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert payload == json.loads(file.read_text(encoding="utf-8")), name


def test_there_is_a_file_for_each_type_and_none_besides() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(EventType) == set(PAYLOADS)


@pytest.mark.parametrize("name", sorted(EventType))
def test_the_schema_fits_the_file_and_notices_what_is_missing(name: str) -> None:
    payload = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    model = PAYLOADS[EventType(name)]
    model.model_validate(payload)
    for without in cut(payload):
        with pytest.raises(ValidationError):
            model.model_validate(without)


def cut(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Copies that lack one member: of the payload, of its data, or of the things in there."""
    for member in payload:
        yield {key: value for key, value in payload.items() if key != member}
    data = payload["data"]
    for thing, members in data.items():
        yield {**payload, "data": {key: value for key, value in data.items() if key != thing}}
        for member in members or {}:
            yield {**payload, "data": {**data, thing: {key: members[key] for key in members if key != member}}}


async def make_everything_happen(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await create(alice, goal="delivery", starts_at="2026-01-01T00:00:00Z", ends_at="2199-01-01T00:00:00Z")
    await patch(alice, campaign, name="After a purchase")
    await move(alice, campaign, "launch", "pause", "resume")
    await people(alice)
    await answers(alice, engine, campaign["id"])
    await a_file(alice, app, engine)
    await move(alice, campaign, "complete", "archive")
    endpoint = await did(alice, "/v1/webhook-endpoints", url=URL, description="CRM")
    await an_outage(alice, engine, endpoint)
    for act in ("test", "disable"):
        await did(alice, f"/v1/webhook-endpoints/{endpoint['id']}/{act}")


async def people(alice: Tenant) -> None:
    ada = await did(alice, "/v1/recipients", **ADA, account={"external_id": "acme", "name": "Acme"})
    await did(alice, "/v1/recipients", external_id="4711", properties={"plan": "pro", "seats": 12, "trial": False})
    await did(alice, f"/v1/recipients/{ada['id']}/unsubscribe")
    bob = await did(alice, "/v1/recipients", external_id="4712")
    assert (await alice.api.delete(f"/v1/recipients/{bob['id']}")).is_success


async def answers(alice: Tenant, engine: Engine, campaign_id: str) -> None:
    answer = {
        "campaign_id": campaign_id, "score": 9, "channel": "email", "language": "de", "may_contact": True,
        "properties": {"order": "A-1"},
    }  # fmt: skip
    recorded = await did(alice, "/v1/responses", **answer, recipient={"external_id": "4711"}, occasion="order A-1")
    place = f"/v1/responses/{recorded['id']}"
    for changes in ({"comment": "Fast and “friendly”."}, {"score": 3}):
        assert (await alice.api.patch(place, json=changes)).is_success
    await a_button(alice, engine, recorded["id"])
    await did(alice, f"{place}/exclude", reason="A test of ours")
    await did(alice, f"{place}/restore", reason="No, it was real")
    await did(alice, "/v1/responses", **answer, import_id="old-1", answered_at="2020-02-02T02:02:02Z")
    wrong = await did(alice, "/v1/responses", **answer)
    assert (await alice.api.delete(f"/v1/responses/{wrong['id']}")).is_success


async def a_button(alice: Tenant, engine: Engine, response_id: str) -> None:
    now = datetime.now(UTC)
    async with engine.write() as tx:
        press = Press(UUID(response_id.partition("_")[2]), FollowUpState.ASSIGNED, "olga", now)
        await follow_up(tx, alice.workspace_id, press, endpoint_id=new_id(now))


async def a_file(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    rows = b"external_id,email\n4713,eve@example.com\n4714,nonsense\n"
    await alice.api.post("/v1/imports/recipients", content=rows, headers={"content-type": "text/csv"})
    assert await run_next_import(engine, hmac_key=await app.state.services.address_key.read(), lease_seconds=25)


async def an_outage(alice: Tenant, engine: Engine, endpoint: dict[str, Any]) -> None:
    """As the worker sees it when the last attempt has failed."""
    async with engine.write() as tx:
        await fan_out(tx)
    await give_up(alice, engine, endpoint)
    async with engine.write() as tx:
        now = datetime.now(UTC)
        await fetch(tx, "UPDATE endpoint_health SET failing_since = $1", now - timedelta(hours=1))
        assert await warn_of_failing_endpoints(tx, now=now) == 1


async def give_up(alice: Tenant, engine: Engine, endpoint: dict[str, Any]) -> None:
    (event, *_) = (await alice.api.get("/v1/events")).json()["data"]
    await did(alice, f"/v1/events/{event['id']}/deliveries", endpoint_id=endpoint["id"])
    async with engine.write() as tx:
        claim = await claim_due_deliveries(tx, lease=Lease.of(60), limit=1, cap_of=lambda _: 1)
        outcome = Outcome(500, Failure.BAD_STATUS, None, b"", 1, sent=True)
        attempt = Attempt(datetime.now(UTC), outcome)
        await settle_deliveries(tx, [Settlement(claim.deliveries[0], DeliveryState.EXHAUSTED, attempt=attempt)])
        await fetch(tx, "UPDATE endpoint_health SET failures = 12")


async def did(alice: Tenant, path: str, **body: Any) -> dict[str, Any]:
    reply = await alice.api.post(path, json=body or None)
    assert reply.is_success, f"{path}: {reply.text}"
    return dict(reply.json())


async def first_of_each_type(alice: Tenant) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for event in (await alice.api.get("/v1/events", params={"limit": 500})).json()["data"]:
        told.setdefault(event["type"], event)
    return told


def normalised(payload: dict[str, Any]) -> Any:
    """Ids count up from 1 as they appear; instants become one, in the form in which they were written."""
    numbers: dict[str, int] = {}
    text = json.dumps(payload, ensure_ascii=False)
    text = re.sub(r"_([0-9a-f]{32})", lambda found: f"_{numbers.setdefault(found[1], len(numbers) + 1):032x}", text)
    text = re.sub(r'"20(?!20|26-01-01)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"', '"2026-11-22T10:15:00.000000Z"', text)
    return json.loads(text)
