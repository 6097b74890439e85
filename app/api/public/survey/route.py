"""How pages of personal links differ from the API: whatever goes wrong, a person gets a page in their language."""

from collections.abc import Coroutine
from typing import Any

import structlog
from fastapi import Request
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.pages import PageRoute
from app.api.problems import Refused, request_id_of
from app.api.public.survey.opened import TrialLink, UnknownLink, accepted_languages
from app.api.public.survey.shell import message
from app.db.troubles import trouble_in
from app.domain.campaign import CampaignNotAccepting
from app.domain.errors import DomainError, NotFound, Overloaded
from app.domain.survey.brand import OURS

log = structlog.get_logger()


class SurveyRoute(PageRoute):
    def trouble_page(self, request: Request, error: Exception) -> Response:
        return trouble_page(request, error)


def trouble_page(request: Request, error: Exception) -> Response:
    name, status = _named(error)
    if status == 500:
        log.error("request failed", request_id=request_id_of(request), exc_info=error)
    spoken = accepted_languages(request) or ["en"]
    response = message(request, name, language=spoken[0], brand=OURS, status=status)
    if status in {429, 503}:
        response.headers["retry-after"] = "2"
    return response


def in_background(response: Response, task: Coroutine[Any, Any, None]) -> Response:
    """After the page is out. What is noted then is evidence and nothing else, so it may fail."""

    async def run() -> None:
        try:
            await task
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            log.warning("evidence was lost", reason=type(error).__name__)

    response.background = BackgroundTask(run)
    return response


def _named(error: Exception) -> tuple[str, int]:
    if isinstance(error, TrialLink):
        return "test", 200
    if isinstance(error, UnknownLink | NotFound):
        return "unknown", 404
    if isinstance(error, Refused):
        return ("too_often" if error.kind.status == 429 else "trouble"), error.kind.status
    if isinstance(error, HTTPException):
        return ("unknown" if error.status_code == 404 else "trouble"), error.status_code
    if isinstance(error, Overloaded):
        return "trouble", 503
    if isinstance(error, DomainError):
        return ("ended" if isinstance(error, CampaignNotAccepting) else "trouble"), 409
    return "trouble", 503 if trouble_in(error) is not None else 500
