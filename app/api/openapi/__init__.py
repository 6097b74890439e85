"""The contract: what FastAPI finds out about our routes, completed to the whole truth."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.audience_models import FILTER_SCHEMAS
from app.api.openapi import webhooks
from app.api.openapi.descriptions import DESCRIPTION, TAGS
from app.api.openapi.examples import add_examples
from app.api.openapi.headers import HEADERS, describe_successes
from app.api.openapi.parameters import PARAMETERS, tidy_parameters
from app.api.openapi.refusals import RESPONSES, add_refusals
from app.api.openapi.schemas import PROBLEM_SCHEMAS, publish_schemas
from app.api.security_schemes import SECURITY_SCHEMES

__all__ = ["as_yaml", "document", "serve_document"]

Document = dict[str, Any]


def serve_document(app: FastAPI) -> None:
    """/openapi.json says what openapi.yaml says."""

    def openapi() -> Document:
        app.openapi_schema = app.openapi_schema or document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own documented way


def document(app: FastAPI) -> Document:
    """OpenAPI 3.1, as JSON values. Needs neither a database nor a running service."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        tags=TAGS,
        routes=app.routes,
        webhooks=webhooks.ROUTES,
    )
    for operation in operations(found["paths"]):
        add_refusals(operation)
        describe_successes(operation)
        tidy_parameters(operation)
    for operation in operations(found["webhooks"]):
        webhooks.tidy(operation)
    _add_components(found["components"])
    publish_schemas(found)
    add_examples(found)
    return _in_reading_order(found)


def as_yaml(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def operations(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for path in paths.values():
        yield from path.values()


def _add_components(components: Document) -> None:
    components["schemas"] |= {**PROBLEM_SCHEMAS, **FILTER_SCHEMAS}
    components["securitySchemes"] = SECURITY_SCHEMES
    components["parameters"] = PARAMETERS | webhooks.PARAMETERS
    components["headers"] = HEADERS
    components["responses"] = RESPONSES | webhooks.RESPONSES


def _in_reading_order(found: Document) -> Document:
    names = ("openapi", "info", "tags", "paths", "webhooks", "components")
    assert set(found) == set(names)
    return {name: found[name] for name in names}


class _Plain(yaml.SafeDumper):
    """Without anchors: whoever reads a part has all of it."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - of the base class
        return True


def _in_lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _in_lines)
