"""An example of every body: from the schemas' own examples, else from what fields of such a name hold."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.api.openapi.schemas import PLACE

# Of fields that say nothing themselves.
USUAL: Mapping[str, Any] = {
    "actor": "key_0198c1f2a7b3708c9d4e5f60718293a4",
    "allowed_origins": ["https://shop.example"],
    "comment": "Fast, friendly, a bit pricey.",
    "description": "CRM",
    "email": "ada@example.com",
    "event_types": ["response.detractor"],
    "external_id": "4711",
    "follow_up": {"detractor": {"en": "What should we do better?"}},
    "language": "en",
    "languages": ["en"],
    "default_language": "en",
    "locale": "en-GB",
    "name": "After purchase",
    "next_cursor": "eyJpZCI6IjAxOThjMWYyYTdiMzcwOGM5ZDRlNWY2MDcxODI5M2E0In0",
    "occasion": "order-4711",
    "owner": "Grace",
    "phone": "+4930123456",
    "properties": {"plan": "pro"},
    "question": {"en": "How likely are you to recommend us?"},
    "reason": "Answered by a colleague while testing",
    "recipient_properties": {"plan": "pro"},
    "schema_version": 1,
    "score": 9,
    "scopes": ["responses:write"],
    "segments": {"plan": "pro"},
    "status": 200,
    "tier": "gold",
    "time_zone": "Europe/Berlin",
    "token": "zt_sk_live_…",
    "url": "https://hooks.example.com/zeroten",
}
OF_FORMAT = {
    "date-time": "2026-11-22T10:00:00Z",
    "date": "2026-11-22",
    "uuid": "0198c1f2-a7b3-708c-9d4e-5f60718293a4",
}
JSON = "application/json"


def add_examples(document: dict[str, Any]) -> None:
    """To each schema that is the whole of a body, but for lists, whose items have theirs."""
    schemas = document["components"]["schemas"]
    for operation, is_sent_by_us in _operations(document):
        for media, is_request in _bodies(operation):
            name = media["schema"].get("$ref", "").removeprefix(PLACE)
            schema = schemas.get(name)
            if schema is not None and "examples" not in schema and not name.endswith("List"):
                author = _Author(schemas, is_request=is_request and not is_sent_by_us)
                schema["examples"] = [author.write(schema, name="")]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    for part, is_sent_by_us in (("paths", False), ("webhooks", True)):
        for path in document[part].values():
            for operation in path.values():
                yield operation, is_sent_by_us


def _bodies(operation: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    if JSON in operation.get("requestBody", {}).get("content", {}):
        yield operation["requestBody"]["content"][JSON], True
    for response in operation["responses"].values():
        if JSON in response.get("content", {}):
            yield response["content"][JSON], False


class _Author:
    """Of requests, only what one must or would like to say; of replies, everything."""

    def __init__(self, schemas: Mapping[str, Any], *, is_request: bool) -> None:
        self._schemas, self._is_request = schemas, is_request

    def write(self, schema: Mapping[str, Any], *, name: str) -> Any:
        if "$ref" in schema and "examples" not in schema:
            return self.write(self._schemas[schema["$ref"].removeprefix(PLACE)], name=name)
        if "examples" in schema:
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if "anyOf" in schema:
            return self.write(_most_telling(schema["anyOf"], name), name=name)
        return self._of_type(schema, name)

    def _of_type(self, schema: Mapping[str, Any], name: str) -> Any:
        match schema.get("type"):
            case "object" if "properties" in schema:
                return self._object(schema)
            case _ if name in USUAL:
                return USUAL[name]
            case "object" | "array" as kind:
                return self._collection(schema, kind)
            case "integer" | "number" | "boolean" | "null" | None:
                return self._plain(schema)
        return OF_FORMAT.get(schema.get("format", ""), name.replace("_", " "))

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        members = schema["properties"]
        wanted = set(members)
        if self._is_request:
            telling = {name for name, member in members.items() if "examples" in member}
            wanted = {*schema.get("required", ()), *telling} or USUAL.keys() & members.keys()
        return {name: self.write(member, name=name) for name, member in members.items() if name in wanted}

    def _collection(self, schema: Mapping[str, Any], kind: str) -> Any:
        inside = schema.get("items" if kind == "array" else "additionalProperties")
        if kind == "array":
            return [self.write(inside, name="")] if inside else []
        return {}

    def _plain(self, schema: Mapping[str, Any]) -> Any:
        if "default" in schema:
            return schema["default"]
        return {"integer": max(1, schema.get("minimum", 1)), "number": 1.0, "boolean": True}.get(schema.get("type", ""))


def _most_telling(choices: list[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """Rather null than a text about which nothing is known, or an instant that has not come yet."""
    tells = ("$ref", "examples", "enum", "const", "items", "properties", "additionalProperties")
    known = [choice for choice in choices if name in USUAL or any(key in choice for key in tells)]
    return (known or choices[-1:])[0]
