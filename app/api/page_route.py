"""How pages for people differ from the API: every refusal is a page too."""

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.problems import methods_here

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    @abstractmethod
    def trouble_page(self, request: Request, error: Exception) -> Response: ...

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the framework refuses before any handler, a method that is none of the page's, is a page too."""
        if scope["method"] in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive)
        response = self.trouble_page(request, HTTPException(405))
        response.headers["allow"] = ", ".join(methods_here(request))
        await response(scope, receive, send)
