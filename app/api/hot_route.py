"""The routes that take answers keep their FastAPI registration and documentation, and skip its machinery.

FastAPI solves dependencies anew for each request, which costs more than everything else we do to an answer. Such a
route reads and validates its body with the same strict model and calls `endpoint(body, request)`.
"""

from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from inspect import signature
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import Refused, answer_for
from app.api.routing import require_json
from app.clock import utc_now
from app.domain.errors import DomainError
from app.domain.strict_json import strict_json
from app.queries.api_keys import Caller

Place = tuple[str, str]  # method and path


@dataclass(slots=True)
class Admitted:
    caller: Caller
    now: datetime


class HotRequest(Request):
    async def body(self) -> bytes:
        """Starlette's goes through an async generator, for whoever wants the body in pieces."""
        if not hasattr(self, "_body"):
            message = await self.receive()
            body: bytes = message.get("body", b"")
            while message.get("more_body", False):
                message = await self.receive()
                body += message.get("body", b"")
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._body = body
        return self._body


class HotRoute(APIRoute):
    """A subclass says in `admit` who may come in; a stranger's body is not even read."""

    media_types_checked = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.reply_to = self.get_route_handler()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The whole way of a request, past FastAPI's layers."""
        scope["route"] = self
        request = HotRequest(scope, receive)
        try:
            reply = await self.reply_to(request)
        except (DomainError, Refused, RequestValidationError) as error:
            reply = await answer_for(request, error)
        await reply(scope, receive, send)

    @abstractmethod
    async def admit(self, request: Request, now: datetime) -> Caller: ...

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint
        model: type[BaseModel] = signature(endpoint).parameters["body"].annotation
        check_media_type = require_json if self.media_types_checked else _any_media_type

        async def handle(request: Request) -> Response:
            now = utc_now()
            caller = await self.admit(request, now)
            check_media_type(request)
            request.scope["admitted"] = Admitted(caller, now)
            reply: Response = await endpoint(validated(model, await request.body()), request)
            return reply

        return handle


class SimpleRequestRoute(HotRoute):
    """Takes whatever media type a browser can send without asking first (CORS simple requests)."""

    media_types_checked = False


def straight_to(routes: Iterable[BaseRoute]) -> Iterator[tuple[Place, ASGIApp]]:
    for route in routes:
        if isinstance(route, HotRoute):
            yield from (((method, route.path), route.answer) for method in route.methods or ())


def admitted(request: Request) -> Admitted:
    found: Admitted = request.scope["admitted"]
    return found


def validated(model: type[BaseModel], raw: bytes) -> Any:
    if not raw:
        raise Refused("body_missing", "This route needs a JSON body.")
    body = strict_json(raw)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        errors = [{**found, "loc": ("body", *found["loc"])} for found in error.errors()]
        raise RequestValidationError(errors, body=body) from None


def _any_media_type(_: Request) -> None:
    return None
