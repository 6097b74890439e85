"""Every error leaves as `application/problem+json` (RFC 9457). The only place with status numbers for refusals."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.domain.errors import Conflict, DomainError, Forbidden, NotFound, Overloaded, RuleViolation

log = structlog.get_logger()

STATUS: Mapping[type[DomainError], int] = {
    NotFound: 404,
    Conflict: 409,
    RuleViolation: 422,
    Forbidden: 403,
    Overloaded: 503,
}

MEDIA_TYPE = "application/problem+json"


class Refused(Exception):
    """A refusal that only HTTP knows: unreadable, unauthorised, too large, too often."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.members = headers or {}, members


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    request_id: str = "",
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    body: dict[str, Any] = {"type": f"/problems/{code.replace('_', '-')}", "title": title, "status": status}
    body |= {"code": code, "detail": detail, "request_id": request_id, **(members or {})}
    content = json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(content, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of(error: DomainError, request_id: str = "") -> Response:
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, Overloaded) else {}
    return problem(
        status_of(error), error.code, error.title(), error.detail,
        request_id=request_id, headers=headers, members=members_of(error),
    )  # fmt: skip


def members_of(error: DomainError) -> dict[str, Any]:
    members = dict(error.members)
    if error.pointer is not None:
        members["errors"] = [{"in": "body", "pointer": error.pointer, "detail": error.detail}]
    return members


def status_of(error: DomainError) -> int:
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def invalid(errors: Sequence[Mapping[str, Any]], request_id: str = "") -> Response:
    """422 from Pydantic's findings, each with the JSON pointer of its field."""
    return problem(
        422, "validation_failed", "The request is not valid",
        "; ".join(f"{_where(error)}: {error['msg']}" for error in errors[:3]),
        request_id=request_id, members={"errors": [finding(error) for error in errors[:50]]},
    )  # fmt: skip


def finding(error: Mapping[str, Any]) -> dict[str, str]:
    place, *path = error["loc"] or ("body",)
    if place not in {"body", "path", "query", "header"}:
        place, path = "body", list(error["loc"])
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    return {"in": str(place), "pointer": pointer, "detail": str(error["msg"])}


def _where(error: Mapping[str, Any]) -> str:
    found = finding(error)
    return f"{found['in']}{found['pointer']}"


def install(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


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
    return problem(
        error.status, error.code, HTTPStatus(error.status).phrase, error.detail,
        request_id=request_id_of(request), headers=error.headers, members=error.members,
    )  # fmt: skip


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors(), request_id_of(request))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "route_not_found", 405: "method_not_allowed"}.get(error.status_code, "unreadable")
    phrase = HTTPStatus(error.status_code).phrase
    detail = str(error.detail) if error.detail != phrase else f"{phrase}: {request.method} {request.url.path}"
    return problem(error.status_code, code, phrase, detail, request_id=request_id_of(request), headers=error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    """The reason goes to the log, once; the caller gets the request id to ask with."""
    log.error("request failed", request_id=request_id_of(request), exc_info=error)
    return problem(
        500, "unexpected", "Something went wrong here",
        "This is our mistake, and it is in our log under the request id.", request_id=request_id_of(request),
    )  # fmt: skip
