"""Every error leaves as `application/problem+json` (RFC 9457)."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.api.problem_types import REFUSED_BY_HTTP, ProblemType, type_of
from app.domain.errors import DomainError, Overloaded
from app.domain.pointer import json_pointer

MEDIA_TYPE = "application/problem+json"
WORDS = dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "should be an object")
MEMBER_OF_ENUM = re.compile(r"<[A-Za-z]+\.[A-Z_]+: ('[^']*')>")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Refused(Exception):
    """A refusal that only HTTP knows: unreadable, unauthorized, too large, too often."""

    def __init__(self, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        """`code`: one of `problem_types.REFUSED_BY_HTTP`."""
        super().__init__(detail)
        self.kind, self.detail = REFUSED_BY_HTTP[code], detail
        self.headers, self.members = headers or {}, members


def problem(
    kind: ProblemType,
    detail: str,
    *,
    request_id: str = "",
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    body = {**named(kind), "detail": detail, "request_id": request_id, **(members or {})}
    content = json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(content, status_code=kind.status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def named(kind: ProblemType) -> dict[str, Any]:
    return {"type": kind.uri, "title": kind.title, "status": kind.status, "code": kind.code}


def problem_of(error: DomainError, request_id: str = "") -> Response:
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Overloaded) else {}
    return problem(
        type_of(type(error)), error.detail, request_id=request_id, headers=headers, members=members_of(error)
    )


def refusal(code: str, detail: str, *, request_id: str = "", **members: Any) -> Response:
    return problem(REFUSED_BY_HTTP[code], detail, request_id=request_id, members=members)


def members_of(error: DomainError) -> dict[str, Any]:
    members = dict(error.members)
    if error.pointer is not None:
        members["errors"] = [
            {"in": "body", "pointer": pointer, "detail": error.detail} for pointer in (error.pointer, *error.further)
        ]
    return members


def invalid(errors: Sequence[Mapping[str, Any]], request_id: str = "", *, body: Any = None) -> Response:
    """422 from Pydantic's findings, each with the JSON pointer of its field."""
    found = findings(errors, body=body)[:50]
    detail = "; ".join(f"{one['in']}{one['pointer']}: {one['detail']}" for one in found[:3])
    return refusal("validation_failed", detail, request_id=request_id, errors=found)


def findings(errors: Sequence[Mapping[str, Any]], *, body: Any = None) -> list[dict[str, str]]:
    """One for each field. `body`: what they were found in, if that is known."""
    found: dict[tuple[str, str], str] = {}
    for error in errors:
        place, *path = error["loc"] or ("body",)
        if place not in {"body", "path", "query", "header"}:
            place, path = "body", list(error["loc"])
        if path[-1:] == ["[key]"]:  # Pydantic's way to say that it is not the value
            path.pop()
        if place == "body" and body is not None:
            path = _path_in(body, path, may_lack_the_last=error.get("type") == "missing")
        pointer, what = (str(place), json_pointer(*path)), _said(error)
        found[pointer] = f"{found[pointer]}, or: {what}" if pointer in found else what
    return [{"in": place, "pointer": pointer, "detail": what} for (place, pointer), what in found.items()]


def _path_in(body: Any, path: Sequence[str | int], *, may_lack_the_last: bool) -> list[str | int]:
    """Without Pydantic's names for what a value was taken for, which stand between those of fields."""
    found: list[str | int] = []
    for place, step in enumerate(path, start=1):
        is_there = step in body if isinstance(body, dict) else isinstance(body, list) and step in range(len(body))
        if is_there:
            body = body[step]
        if is_there or (may_lack_the_last and place == len(path)):
            found.append(step)
    return found


def _said(error: Mapping[str, Any]) -> str:
    what = WORDS.get(error.get("type", ""), str(error["msg"]))
    return MEMBER_OF_ENUM.sub(r"\1", what.removeprefix("Value error, "))


def install(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def answer_for(request: Request, error: Exception) -> Response:
    """For a route that has to add to its refusals."""
    answers = {DomainError: _domain_error, Refused: _refused, RequestValidationError: _validation_error}
    return await next(answer for kind, answer in answers.items() if isinstance(error, kind))(request, error)


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem_of(error, request_id_of(request))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    request_id = request_id_of(request)
    return problem(error.kind, error.detail, request_id=request_id, headers=error.headers, members=error.members)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors(), request_id_of(request), body=error.body)


async def _http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself."""
    assert isinstance(error, HTTPException)
    code = {404: "route_not_found", 405: "method_not_allowed"}.get(error.status_code, "unreadable")
    headers = {"Allow": ", ".join(methods_here(request))} if error.status_code == 405 else error.headers
    phrase = HTTPStatus(error.status_code).phrase
    detail = str(error.detail) if error.detail != phrase else f"{phrase}: {request.method} {request.url.path}"
    return problem(REFUSED_BY_HTTP[code], detail, request_id=request_id_of(request), headers=headers)


def methods_here(request: Request) -> list[str]:
    """Of all routes with this path: the framework names those of the first."""
    routes = request.app.routes
    scopes = ({**request.scope, "method": method} for method in METHODS)
    return [scope["method"] for scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in routes)]
