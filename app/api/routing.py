"""How our routes differ from FastAPI's: JSON is read strictly, and other media types are told so."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.api.json_body import strict_json
from app.api.problems import Refused


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_json(request: Request) -> Response:
            require_json(request)
            raw = await request.body()
            if not raw:
                raise Refused(422, "body_missing", "This route needs a JSON body.")
            strict_json(raw)
            return await handle(request)

        return handle_json


def require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "unsupported_media_type", f"Send application/json, not {media_type or 'nothing'}.")


def router(tag: str, **options: Any) -> APIRouter:
    return APIRouter(tags=[tag], route_class=StrictRoute, **options)
