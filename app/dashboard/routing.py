"""How pages differ from the API: whoever has no session is asked to log in, and every refusal is a page too."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from app.api.edge import BodyTooLarge
from app.api.problems import methods_here
from app.dashboard.forms import check_form
from app.dashboard.headers import PRIVATE
from app.dashboard.places import HOME, LOG_IN, WEBHOOKS
from app.dashboard.refusals import NobodyThere
from app.dashboard.troubles import trouble_page

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the framework refuses before any handler, a method that is none of the page's, is a page too."""
        if scope["method"] in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        response = trouble_page(request, HTTPException(405))
        response.headers["allow"] = ", ".join(methods_here(request))
        await response(scope, receive, send)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                if request.method == "POST":
                    await check_form(request)
                return await handle(request)
            except NobodyThere:
                return _log_in_first(request)
            except BodyTooLarge:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, a person gets a page with an id
                return trouble_page(request, error)

        return handle_as_page


def _log_in_first(request: Request) -> Response:
    """What was asked for is shown afterwards; a form has to be sent again."""
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    query = f"?{urlencode({'next': asked})}" if request.method == "GET" and asked not in {HOME, WEBHOOKS} else ""
    return RedirectResponse(LOG_IN + query, 303, PRIVATE)
