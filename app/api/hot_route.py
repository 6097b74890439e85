"""The two routes that take answers keep their FastAPI registration and documentation, and skip its machinery.

FastAPI solves dependencies anew for each request, which costs more than everything else we do to an answer. Such a
route reads and validates its body with the same strict model and calls `endpoint(body, request)`.
"""

from collections.abc import Callable, Coroutine
from inspect import signature
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from app.api.json_body import strict_json
from app.api.problems import Refused
from app.api.routing import require_json


class HotRoute(APIRoute):
    media_types_checked = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint
        model: type[BaseModel] = signature(endpoint).parameters["body"].annotation
        check_media_type = require_json if self.media_types_checked else _any_media_type

        async def handle(request: Request) -> Response:
            check_media_type(request)
            reply: Response = await endpoint(validated(model, await request.body()), request)
            return reply

        return handle


class SimpleRequestRoute(HotRoute):
    """Takes whatever media type a browser can send without asking first (CORS simple requests)."""

    media_types_checked = False


def validated(model: type[BaseModel], raw: bytes) -> Any:
    if not raw:
        raise Refused(422, "body_missing", "This route needs a JSON body.")
    try:
        return model.model_validate(strict_json(raw))
    except ValidationError as error:
        raise RequestValidationError([{**found, "loc": ("body", *found["loc"])} for found in error.errors()]) from None


def _any_media_type(_: Request) -> None:
    return None
