"""Refusals and mistakes as pages. What went wrong in us stands in the log, under the id that the page shows."""

from dataclasses import dataclass
from http import HTTPStatus

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.problem_types import type_of
from app.api.problems import Refused, request_id_of
from app.dashboard.refusals import ForeignForm, NotAllowed, PageNotFound
from app.dashboard.shell import page
from app.db.troubles import trouble_in
from app.domain.errors import DomainError, NotFound

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trouble:
    status: int
    title: str
    detail: str
    is_ours: bool = False  # then the page shows the request id


NOT_FOUND = Trouble(
    404,
    "There is nothing here",
    "The address is wrong, or what it showed has been deleted or belongs to another workspace. "
    "Live and test are two workspaces, each with keys of its own.",
)
FOREIGN = Trouble(
    403,
    "This form is out of date",
    "It was opened before you last logged in, or did not come from this site. Nothing was done. "
    "Go back, reload the page and try again.",
)
NO_SUCH_ACT = Trouble(405, "This cannot be done here", "Nothing was done. Go back and use the buttons of the page.")
OVERLOADED = Trouble(
    503,
    "The database does not answer",
    "Nothing is lost: what was recorded stays recorded. Try again in a few seconds.",
    is_ours=True,
)
MISTAKE = Trouble(500, "Something went wrong here", "This is our mistake, and the log tells more.", is_ours=True)


def trouble_page(request: Request, error: Exception) -> Response:
    trouble = _trouble(error)
    if trouble is MISTAKE:
        log.error("request failed", request_id=request_id_of(request), exc_info=error)
    response = page(
        request, "trouble.html", status=trouble.status, trouble=trouble, back=_back(request),
        request_id=request_id_of(request) if trouble.is_ours else None,
    )  # fmt: skip
    if trouble is OVERLOADED:
        response.headers["retry-after"] = "2"
    return response


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, PageNotFound | NotFound | RequestValidationError):
        return NOT_FOUND
    if isinstance(error, ForeignForm):
        return FOREIGN
    if isinstance(error, NotAllowed):
        return _lacks(error.scope)
    if isinstance(error, DomainError):
        return Trouble(type_of(type(error)).status, error.title(), error.detail)
    if isinstance(error, Refused):
        return Trouble(error.kind.status, error.kind.title, error.detail)
    if isinstance(error, HTTPException):
        if error.status_code == NO_SUCH_ACT.status:
            return NO_SUCH_ACT
        return Trouble(error.status_code, HTTPStatus(error.status_code).phrase, "")
    return OVERLOADED if trouble_in(error) is not None else MISTAKE


def _lacks(scope: str) -> Trouble:
    detail = f"It needs the scope {scope}, which the key you logged in with does not have. Log in with another key."
    return Trouble(403, "Your key may not do this", detail)


def _back(request: Request) -> str | None:
    """From an act to the page that its button is on."""
    return request.url.path.rpartition("/")[0] if request.method == "POST" else None
