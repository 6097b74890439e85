"""Holds every reply that the tests see against openapi.yaml's own words.

Built into the tests' client: whatever a test is about, a status, a code or a field that the contract does not know
fails it.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from app.api.openapi import document
from app.config import Settings
from app.main import create_app

# The outermost layer says so, whatever the route.
ANYWHERE = {"unexpected", "body_too_large", "unsupported_content_encoding"}
PROBLEM = "application/problem+json"


@cache
def the_document() -> dict[str, Any]:
    """As callers get it, through JSON: sets, tuples and enums would have shown here."""
    return dict(json.loads(json.dumps(document(create_app(Settings())))))


def operations(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(method, path, operation)"""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` refers to."""
    if "$ref" not in node:
        return node
    found: Any = the_document()
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


async def check_reply(reply: httpx.Response) -> None:
    """For a client's event hooks."""
    await reply.aread()
    operation = operation_of(reply.request.method, reply.request.url.path)
    if operation is not None:
        faults = "\n".join(faults_of(operation, reply))
        assert not faults, (
            f"{reply.request.method} {reply.request.url.path}, {reply.status_code}: {faults}\n{reply.text}"
        )


def operation_of(method: str, path: str) -> Mapping[str, Any] | None:
    matching = (entry for entry in _routes() if entry[0] == method and entry[1].fullmatch(path))
    return next((operation for *_, operation in matching), None)


@cache
def _routes() -> list[tuple[str, re.Pattern[str], Mapping[str, Any]]]:
    """Those without parameters first, as the application has them."""
    found = sorted(operations(the_document()), key=lambda entry: entry[1].count("{"))
    return [(method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation) for method, path, operation in found]


def faults_of(operation: Mapping[str, Any], reply: httpx.Response) -> Iterator[str]:
    if not reply.headers.get("x-request-id", "").startswith("req_"):
        yield "no x-request-id"
    media_type = reply.headers.get("content-type", "").partition(";")[0]
    if reply.status_code >= 400:
        yield from _faults_of_refusal(operation, reply, media_type)
        return
    response = operation["responses"].get(str(reply.status_code))
    if response is None:
        yield "an undocumented status"
        return
    content = resolved(response).get("content", {})
    if not content:
        yield from ["a body that is not documented"] * bool(reply.content)
    elif media_type not in content:
        yield f"an undocumented media type {media_type!r}"
    elif media_type == "application/json":
        yield from schema_faults(content[media_type]["schema"], reply.json())


def _faults_of_refusal(operation: Mapping[str, Any], reply: httpx.Response, media_type: str) -> Iterator[str]:
    if media_type != PROBLEM:
        yield f"a refusal as {media_type!r}"
        return
    problem = reply.json()
    yield from schema_faults({"$ref": "#/components/schemas/Problem"}, problem)
    if problem["code"] in ANYWHERE:
        return
    known = resolved(operation["responses"].get(str(reply.status_code), {})).get("x-problems", ())
    if problem["code"] not in known:
        yield f"the undocumented code {problem['code']}"
    if problem["status"] != reply.status_code or problem["request_id"] != reply.headers.get("x-request-id"):
        yield "a problem that contradicts its own headers"


def event_faults(event: Mapping[str, Any]) -> list[str]:
    """An entry of the feed is what a webhook of its type would carry."""
    webhook = the_document()["webhooks"][event["type"]]["post"]
    return schema_faults(webhook["requestBody"]["content"]["application/json"]["schema"], event)


def schema_faults(schema: Mapping[str, Any], value: Any) -> list[str]:
    return [
        f"{list(error.instance_path)}: {error.message}" for error in _validator(json.dumps(schema)).iter_errors(value)
    ]


@cache
def _validator(schema: str) -> Any:
    components = _closed(copy.deepcopy(the_document()["components"]))
    whole = {"components": components, **json.loads(schema)}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _closed(node: Any) -> Any:
    """Readers must ignore fields they do not know; here, a field that nobody documented is a fault."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and "type" in node:
            node.setdefault("additionalProperties", False)
        for member in node.values():
            _closed(member)
    elif isinstance(node, list):
        for item in node:
            _closed(item)
    return node
