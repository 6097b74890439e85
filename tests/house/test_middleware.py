"""What stands between a request and its route: pure ASGI, ours once, and no BaseHTTPMiddleware, also in an add-on."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware

from app.api.edge import Edge
from tests.conftest import client


def layers(app: Any, depth: int = 0) -> Iterator[Any]:
    """Everything an ASGI application wraps, mounts and routes to."""
    if app is None or depth > 50:
        return
    yield app
    yield from layers(getattr(app, "app", None), depth + 1)
    if not isinstance(app, FastAPI):
        for route in getattr(app, "routes", ()):
            yield from layers(route, depth + 1)


async def test_the_stack_is_flat_and_ours(app: FastAPI) -> None:
    async with client(app) as api:
        await api.get("/livez")  # builds it
    found = [*layers(app.middleware_stack)]
    assert sum(isinstance(layer, Edge) for layer in found) == 1
    assert not [layer for layer in found if isinstance(layer, BaseHTTPMiddleware)]
    assert [middleware.cls for middleware in app.user_middleware] == [Edge]


def test_such_a_layer_would_be_found() -> None:
    async def dispatch(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    wrapped = Edge(BaseHTTPMiddleware(FastAPI(), dispatch), body_limit_bytes=1, log_all=False)
    assert [layer for layer in layers(wrapped) if isinstance(layer, BaseHTTPMiddleware)]
