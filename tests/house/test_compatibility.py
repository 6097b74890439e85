"""The comparison of two contracts, on small ones: what it must notice and what it must let pass."""

import copy
from typing import Any

import pytest

from tests.contract import the_document
from tests.house.compatibility import breaks

CONTRACT: dict[str, Any] = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "create_thing",
                "security": [{"bearer": ["things:write"]}],
                "parameters": [
                    {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "Tag", "in": "header", "schema": {"type": "string", "maxLength": 10}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingInput"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "422": {"description": "Refused"},
                },
            }
        }
    },
    "webhooks": {
        "thing.created": {
            "post": {
                "operationId": "receive_thing_created",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {},
            }
        }
    },
    "components": {
        "schemas": {
            "ThingInput": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 200},
                    "size": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 10}, {"type": "null"}]},
                    "kind": {"enum": ["small", "large"], "type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/ThingInput"}},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "kind": {"enum": ["small", "large"], "type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                },
            },
        }
    },
}
POST = "paths./things.post"
ANSWERS = CONTRACT["paths"]["/things"]["post"]["responses"]
INPUT, THING = "components.schemas.ThingInput", "components.schemas.Thing"
GONE = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """A copy with one thing set, or gone."""
    new = copy.deepcopy(CONTRACT)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = new
    for step in steps:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return new


BREAKS = {
    "an operation goes": (POST, GONE, "POST /things is gone"),
    "a path goes": ("paths./things", GONE, "POST /things is gone"),
    "an operation is renamed": (f"{POST}.operationId", "make_thing", "no longer called create_thing"),
    "another scope is needed": (f"{POST}.security", [{"bearer": ["things:write", "all"]}], "no longer lets in"),
    "a key is needed in another way": (f"{POST}.security", [{"basic": []}], "no longer lets in"),
    "a parameter goes": (f"{POST}.parameters.0", GONE, "parameter dry_run is gone"),
    "a parameter is needed": (f"{POST}.parameters.0.required", True, "parameter dry_run is needed now"),
    "a parameter has another type": (f"{POST}.parameters.0.schema", {"type": "integer"}, "was boolean and is integer"),
    "a parameter takes less": (f"{POST}.parameters.1.schema.maxLength", 5, "has a maxLength of 5, not 10"),
    "a field cannot be sent any more": (f"{INPUT}.properties.kind", GONE, ".kind is gone"),
    "a field has to be sent": (f"{INPUT}.required", ["name", "size"], ".size is needed now"),
    "a field takes another type": (f"{INPUT}.properties.name.type", "integer", "was string and is integer"),
    "a field is limited": (f"{INPUT}.properties.kind.maxLength", 3, "has a maxLength of 3, not any"),
    "an optional field is limited": (
        f"{INPUT}.properties.size.anyOf.0.maximum", 5, "has a maximum of 5, not 10",
    ),
    "a field cannot be cleared": (f"{INPUT}.properties.size", {"type": "integer"}, "was null and is integer"),
    "a field is matched by a pattern": (f"{INPUT}.properties.name.pattern", "^a", "has another pattern"),
    "a field takes fewer values": (f"{INPUT}.properties.kind.enum", ["small"], "no longer takes large"),
    "a field takes a few values only": (f"{INPUT}.properties.name.enum", ["small"], "no longer takes anything"),
    "a reply loses a field": (f"{THING}.properties.size", GONE, "201.size is gone"),
    "a reply may lack a field": (f"{THING}.required", ["id"], "201.name may be missing now"),
    "a reply has another type": (f"{THING}.properties.id.type", "integer", "was string and is integer"),
    "a reply may be null": (
        f"{THING}.properties.name", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "was string and is null",
    ),
    "a success has another status": (f"{POST}.responses", {"200": {}}, "no longer answers 201"),
    "an event goes": ("webhooks", {}, "POST thing.created is gone"),
    "an event loses a field": (f"{THING}.properties.kind", GONE, "POST thing.created, body.kind is gone"),
}  # fmt: skip
PASSES = {
    "nothing changes": ("info", {"version": "0.2.0"}),
    "an operation comes": ("paths./others", {"get": {"operationId": "list_others", "responses": {}}}),
    "a parameter comes": (
        f"{POST}.parameters",
        [
            *CONTRACT["paths"]["/things"]["post"]["parameters"],
            {"name": "q", "in": "query", "schema": {"type": "string"}},
        ],
    ),
    "a limit is raised": (f"{INPUT}.properties.name.maxLength", 500),
    "a limit goes": (f"{INPUT}.properties.name.maxLength", GONE),
    "a field can be left out": (f"{INPUT}.required", []),
    "a field can be sent": (f"{INPUT}.properties.colour", {"type": "string"}),
    "a field takes more values": (f"{INPUT}.properties.kind.enum", ["small", "large", "huge"]),
    "a field takes another type too": (f"{INPUT}.properties.name", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    "whole numbers become any numbers": (f"{INPUT}.properties.size.anyOf.0.type", "number"),
    "a reply tells more": (f"{THING}.properties.colour", {"type": "string"}),
    "a reply always has a field": (f"{THING}.required", ["id", "name", "size"]),
    "a reply is never null again": (f"{THING}.properties.size", {"type": "integer"}),
    "a reply has one value more": (f"{THING}.properties.kind.enum", ["small", "large", "huge"]),
    "another refusal comes": (f"{POST}.responses", {**ANSWERS, "409": {"description": "Refused"}}),
    "a scope is no longer needed": (f"{POST}.security", [{"bearer": []}]),
}


@pytest.mark.parametrize("what", BREAKS)
def test_it_breaks_somebody_when(what: str) -> None:
    path, value, said = BREAKS[what]
    found = breaks(CONTRACT, changed(path, value))
    assert any(said in sentence for sentence in found), found


@pytest.mark.parametrize("what", PASSES)
def test_nobody_minds_when(what: str) -> None:
    assert breaks(CONTRACT, changed(*PASSES[what])) == []


def test_our_own_contract_is_compatible_with_itself() -> None:
    assert breaks(the_document(), the_document()) == []
    assert breaks(the_document(), {**the_document(), "paths": {}}) != []
