"""How pages of the dashboard differ from others: whoever has no session is asked to log in."""

from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.pages import PageRoute
from app.dashboard.forms import check_form
from app.dashboard.headers import PRIVATE
from app.dashboard.places import HOME, LOG_IN, WEBHOOKS
from app.dashboard.refusals import NobodyThere
from app.dashboard.troubles import trouble_page


class DashboardRoute(PageRoute):
    def trouble_page(self, request: Request, error: Exception) -> Response:
        return _log_in_first(request) if isinstance(error, NobodyThere) else trouble_page(request, error)

    async def check(self, request: Request) -> None:
        if request.method == "POST":
            await check_form(request)


def _log_in_first(request: Request) -> Response:
    """What was asked for is shown afterwards; a form has to be sent again."""
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    query = f"?{urlencode({'next': asked})}" if request.method == "GET" and asked not in {HOME, WEBHOOKS} else ""
    return RedirectResponse(LOG_IN + query, 303, PRIVATE)
