"""The contract: committed, complete, true, and never narrower than what was released."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app.api.openapi import as_yaml
from app.db.engine import Engine
from app.domain.events import SCHEMA_VERSION, EventType
from tests.builders import a_campaign, an_answer
from tests.conftest import Tenant
from tests.contract import event_faults, operations, resolved, schema_faults, the_document
from tests.house.compatibility import breaks

ROOT = Path(__file__).parents[2]
RELEASED = sorted(Path(__file__).with_name("released").glob("openapi-*.yaml"))
GOLDEN = sorted((ROOT / "tests" / "golden" / "events").rglob("*.json"))
EVERY = {operation["operationId"]: (method, path, operation) for method, path, operation in operations(the_document())}
SCHEMAS = the_document()["components"]["schemas"]
every_operation = pytest.mark.parametrize("name", sorted(EVERY))


def test_openapi_yaml_says_what_the_application_does() -> None:
    committed = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    fresh = the_document.__wrapped__()  # others take parts of theirs away and put them back elsewhere
    assert committed == as_yaml(fresh), "run `make openapi`, look at what has changed, and commit it"


def test_the_application_serves_the_same(app: FastAPI) -> None:
    assert app.openapi() == the_document()


def test_it_is_openapi() -> None:
    OPENAPI_31_VALIDATOR.validate(the_document())
    assert the_document()["info"]["version"] == version("zeroten")
    assert "servers" not in the_document()  # wherever it runs


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_nothing_that_was_released_is_broken(released: Path) -> None:
    """A break needs a v2 beside v1. After a release, `openapi.yaml` is copied to tests/house/released."""
    assert breaks(yaml.safe_load(released.read_text(encoding="utf-8")), the_document()) == []


@every_operation
def test_every_operation_has_a_name_a_summary_and_a_place(name: str) -> None:
    _, _, operation = EVERY[name]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert len(operation["tags"]) == 1
    assert operation["tags"][0] in {tag["name"] for tag in the_document()["tags"]}


@every_operation
def test_bodies_have_named_schemas(name: str) -> None:
    """A client's generator makes classes of them."""
    _, _, operation = EVERY[name]
    for place, media_type, media in bodies(operation):
        if media_type in {"application/json", "application/problem+json"}:
            assert list(media["schema"]) == ["$ref"], place


@every_operation
def test_every_operation_says_how_it_refuses(name: str) -> None:
    _, path, operation = EVERY[name]
    statuses = set(operation["responses"])
    if path.startswith("/v1/"):
        assert operation["security"]
        assert {"401", "403", "429", "503"} <= statuses
    if "{" in path:
        assert "404" in statuses
    if "requestBody" in operation and path.startswith("/v1/"):
        assert {"413", "422"} <= statuses
    for status, response in operation["responses"].items():
        found = resolved(response)
        assert "x-request-id" in found["headers"]
        if status >= "4":
            assert list(found["content"]) == ["application/problem+json"]
            assert found["x-problems"]


def test_fastapis_own_errors_are_nowhere() -> None:
    assert "ValidationError" not in as_yaml(the_document())


def bodies(operation: Any) -> Iterator[tuple[str, str, Any]]:
    for place, part in (("request", operation.get("requestBody", {})), *operation["responses"].items()):
        for media_type, media in resolved(part).get("content", {}).items():
            yield place, media_type, media


def test_schemas_have_names_without_suffixes_of_tools() -> None:
    assert [name for name in SCHEMAS if not re.fullmatch(r"[A-Z][A-Za-z]+", name)] == []
    assert not {"ImportError", "Exception", "Type", "Object"} & set(SCHEMAS)


def test_every_example_is_valid() -> None:
    examples = [(name, example) for name, schema in SCHEMAS.items() for example in schema.get("examples", ())]
    assert len(examples) > 50
    faults = {name: schema_faults({"$ref": f"#/components/schemas/{name}"}, example) for name, example in examples}
    assert {name: found for name, found in faults.items() if found} == {}


@every_operation
def test_bodies_have_an_example(name: str) -> None:
    _, _, operation = EVERY[name]
    for place, media_type, media in bodies(operation):
        if media_type == "application/json" and not media["schema"]["$ref"].endswith("List"):
            assert resolved(media["schema"])["examples"], place


def test_every_event_is_a_webhook() -> None:
    assert set(the_document()["webhooks"]) == {event_type.value for event_type in EventType}
    for event_type, methods in the_document()["webhooks"].items():
        schema = resolved(methods["post"]["requestBody"]["content"]["application/json"]["schema"])
        assert schema["properties"]["type"]["const"] == event_type
        assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
        assert set(schema["required"]) == set(schema["properties"])


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_real_events_fit_their_schemas(file: Path) -> None:
    """These files hold what left the running application, ids and times aside."""
    assert event_faults(json.loads(file.read_text(encoding="utf-8"))) == []


def test_an_event_that_does_not_fit_would_be_noticed() -> None:
    event = json.loads(GOLDEN[0].read_text(encoding="utf-8"))
    assert event_faults({**event, "data": {}}) != []
    assert event_faults({**event, "unheard_of": 1}) != []


async def test_what_erasure_leaves_of_events_fits_too(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    person = (await alice.api.post("/v1/recipients", json={"external_id": "4711", "name": "Ada"})).json()
    await alice.api.post("/v1/responses", json=an_answer(campaign, recipient_id=person["id"]))
    await alice.api.delete(f"/v1/recipients/{person['id']}")
    events = (await alice.api.get("/v1/events")).json()["data"]
    redacted = [event["type"] for event in events if event["data"].get("redacted")]
    assert set(redacted) == {"recipient.created", "response.created"}
    assert [fault for event in events for fault in event_faults(event)] == []
