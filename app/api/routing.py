"""How our routes differ from FastAPI's: JSON is read strictly, other media types are told so, keys are documented, and
what PostgreSQL gave up is done again.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.api.dependencies import CallerWith, is_in_transaction
from app.api.problems import Refused
from app.api.query_strings import QueryString
from app.api.security_schemes import needs_scope
from app.db.again import is_given_up, may_be_lost_race
from app.db.group_commit import IMMEDIATE_REPLAYS
from app.domain.strict_json import strict_json

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        calls = (dependency.call for dependency in self.dependant.dependencies)
        for caller in (call for call in calls if isinstance(call, CallerWith)):
            self.openapi_extra = {**needs_scope(caller.scope), **(self.openapi_extra or {})}
        self.is_in_transaction = is_in_transaction(self.dependant)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Its transaction, committed before anything is sent, is all that such a request leaves behind."""
        if not self.is_in_transaction:
            await super().handle(scope, receive, send)
            return
        body = _Remembered(receive)
        for _ in range(IMMEDIATE_REPLAYS):
            try:
                await super().handle(scope, body.from_the_start(), send)
            except Exception as error:
                if not (is_given_up(error) or may_be_lost_race(error)):
                    raise
            else:
                return
        await super().handle(scope, body.from_the_start(), send)

    def get_route_handler(self) -> Handler:
        handle, query = super().get_route_handler(), QueryString(self.dependant)
        if self.body_field is None:

            async def handle_plain(request: Request) -> Response:
                query.check(request)
                return await handle(request)

            return handle_plain

        is_needed = self.body_field.field_info.is_required()

        async def handle_json(request: Request) -> Response:
            query.check(request)
            if not (is_needed or await request.body()):
                return await handle(request)
            require_json(request)
            raw = await request.body()
            if not raw:
                raise Refused("body_missing", "This route needs a JSON body.")
            strict_json(raw)
            return await handle(request)

        return handle_json


class _Remembered:
    """What was received, for whoever reads it again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    def from_the_start(self) -> Receive:
        known = iter([*self._messages])

        async def receive() -> Message:
            if (message := next(known, None)) is None:
                message = await self._receive()
                self._messages.append(message)
            return message

        return receive


def require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused("unsupported_media_type", f"Send application/json, not {media_type or 'nothing'}.")


def router(tag: str, **options: Any) -> APIRouter:
    return APIRouter(tags=[tag], route_class=StrictRoute, **options)
