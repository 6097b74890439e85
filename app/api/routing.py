"""How our routes differ from FastAPI's: JSON is read strictly, other media types are told so, keys are documented."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from app.api.dependencies import CallerWith
from app.api.problems import Refused
from app.api.security_schemes import needs_scope
from app.domain.strict_json import strict_json

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        calls = (dependency.call for dependency in self.dependant.dependencies)
        for caller in (call for call in calls if isinstance(call, CallerWith)):
            self.openapi_extra = {**needs_scope(caller.scope), **(self.openapi_extra or {})}

    def get_route_handler(self) -> Handler:
        handle = self._without_unknown_parameters(super().get_route_handler())
        if self.body_field is None:
            return handle

        async def handle_json(request: Request) -> Response:
            require_json(request)
            raw = await request.body()
            if not raw:
                raise Refused("body_missing", "This route needs a JSON body.")
            strict_json(raw)
            return await handle(request)

        return handle_json

    def _without_unknown_parameters(self, handle: Handler) -> Handler:
        """A misspelt filter would otherwise find everything."""
        known = frozenset(_query_names(self.dependant))

        async def handle_known(request: Request) -> Response:
            unknown = sorted(set(request.query_params) - known) if request.url.query else []
            if unknown:
                raise RequestValidationError(
                    [{"loc": ("query", name), "msg": "there is no such parameter here"} for name in unknown]
                )
            return await handle(request)

        return handle_known


def _query_names(dependant: Dependant) -> Iterator[str]:
    """By name; where a model holds them all, by its fields."""
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (field.alias or name for name, field in model.model_fields.items())
        else:
            yield parameter.alias
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)


def require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused("unsupported_media_type", f"Send application/json, not {media_type or 'nothing'}.")


def router(tag: str, **options: Any) -> APIRouter:
    return APIRouter(tags=[tag], route_class=StrictRoute, **options)
