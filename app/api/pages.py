"""What all pages for people have in common, those of personal links and those of the dashboard."""

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.edge import BodyTooLarge
from app.api.problems import methods_here

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
FOREVER = "public, max-age=31536000, immutable"  # for what is named by its content
PAGES = Path(__file__).parents[1] / "pages"


class PageRoute(APIRoute):
    """Whatever goes wrong, a person gets a page."""

    @abstractmethod
    def trouble_page(self, request: Request, error: Exception) -> Response: ...

    async def check(self, request: Request) -> None:
        """What holds for every request before its page is made; raises what becomes a page of trouble."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                await self.check(request)
                return await handle(request)
            except (BodyTooLarge, ClientDisconnect):
                raise  # the edge knows what to do with them
            except Exception as error:  # noqa: BLE001 - whatever it was
                return self.trouble_page(request, error)

        return handle_as_page

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the framework refuses before any handler, a method that is none of the page's, is a page too."""
        if scope["method"] in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        response = self.trouble_page(request, HTTPException(405))
        response.headers["allow"] = ", ".join(methods_here(request))
        await response(scope, receive, send)


def templates_of(pages: str) -> Environment:
    """Everything is escaped, and a name that a template misses is a mistake and no empty text."""
    return Environment(
        loader=FileSystemLoader(PAGES / pages),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
