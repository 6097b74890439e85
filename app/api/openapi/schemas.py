"""Schemas under the names that callers will type: without our suffixes, made-up titles and what nobody refers to."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from app.api.problem_models import Problem

PLACE = "#/components/schemas/"

# Clear enough inside, where the module is named beside them.
OUTSIDE = {
    "DisabledReason": "EndpointDisabledReason",
    "Failure": "DeliveryFailure",
    "HealthState": "EndpointHealthState",
    "Revision": "ResponseRevision",
    "Signing": "WebhookSigning",
    "Template": "PayloadTemplate",
}

_, _problems = models_json_schema([(Problem, "serialization")], ref_template=f"{PLACE}{{model}}")
PROBLEM_SCHEMAS: dict[str, Any] = _problems["$defs"]


def publish_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for place in _schemas_in(document):
        if isinstance(place.get("title"), str):
            del place["title"]
    used = _reachable(document)
    names = {name: _published(name, used) for name in used}
    assert len(set(names.values())) == len(names), "two schemas would share a name"
    document["components"]["schemas"] = {names[name]: schemas[name] for name in sorted(used, key=names.__getitem__)}
    _each(document, lambda node: _rename(node, names))


def _published(name: str, used: set[str]) -> str:
    """`Listing_ResponseReply_` becomes `ResponseList`; `ResponseReply` becomes `Response`, where that is free."""
    listed = re.fullmatch(r"Listing_(\w+?)(Reply)?_", name)
    if listed:
        return f"{OUTSIDE.get(listed[1], listed[1])}List"
    if name in OUTSIDE:
        return OUTSIDE[name]
    short = name.removesuffix("Reply")
    return name if short in used else short


def _rename(node: dict[str, Any], names: dict[str, str]) -> None:
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith(PLACE):
        node["$ref"] = PLACE + names[reference.removeprefix(PLACE)]


def _reachable(document: dict[str, Any]) -> set[str]:
    schemas = document["components"]["schemas"]
    rest = {**document, "components": {**document["components"], "schemas": {}}}
    found: set[str] = set()
    waiting = [*_references(rest)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(node: Any) -> Iterator[str]:
    found: list[str] = []
    _each(node, lambda each: found.append(each["$ref"]) if isinstance(each.get("$ref"), str) else None)
    return (name.removeprefix(PLACE) for name in found if name.startswith(PLACE))


def _each(node: Any, visit: Callable[[dict[str, Any]], object]) -> None:
    if isinstance(node, dict):
        visit(node)
        for member in node.values():
            _each(member, visit)
    elif isinstance(node, list):
        for item in node:
            _each(item, visit)


def _schemas_in(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Schemas only: elsewhere `title` may be the name of a property, or part of an example."""
    starts = [*document["components"]["schemas"].values()]
    _each({**document, "components": {}}, lambda node: starts.append(node["schema"]) if "schema" in node else None)
    waiting = [start for start in starts if isinstance(start, dict)]
    while waiting:
        schema = waiting.pop()
        yield schema
        waiting += _inside(schema)


def _inside(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from schema.get("properties", {}).values()
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(name), dict):
            yield schema[name]
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        yield from schema.get(name, ())
