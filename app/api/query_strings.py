"""Query strings, read strictly: a filter that is passed over in silence would find what nobody asked for."""

from collections import Counter
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import unquote_to_bytes

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

Parameter = tuple[str, bool]  # its name, and whether it may be given several times


class QueryString:
    def __init__(self, dependant: Dependant | None = None) -> None:
        """Of a route without any parameters, if left out."""
        self._several = dict(_parameters(dependant)) if dependant is not None else {}

    def check(self, request: Request) -> None:
        """Raises RequestValidationError."""
        raw: bytes = request.scope["query_string"]
        if not raw:
            return
        if not _is_text(raw):
            raise _refused("", "should be percent-encoded UTF-8")
        for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
            if name not in self._several:
                raise _refused(name, "there is no such parameter here")
            if times > 1 and not self._several[name]:
                raise _refused(name, "may be given once only")


def _is_text(raw: bytes) -> bool:
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return raw.isascii()


def _refused(name: str, what: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("query", name) if name else ("query",), "msg": what}])


def _parameters(dependant: Dependant) -> Iterator[Parameter]:
    """By name; where a model holds them all, by its fields."""
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, field in model.model_fields.items():
                yield field.alias or name, _is_list(field.annotation)
        else:
            yield parameter.alias, _is_list(model)
    for dependency in dependant.dependencies:
        yield from _parameters(dependency)


def _is_list(annotation: Any) -> bool:
    """Also where it may be None."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType, Annotated}:
        return any(_is_list(choice) for choice in get_args(annotation))
    return origin is list
