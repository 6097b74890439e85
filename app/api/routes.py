"""Every route, in reading order."""

from fastapi import FastAPI

from app.api import api_keys, health, responses, workspace
from app.api.hot_route import HotRoute
from app.api.record_responses import record_response, record_responses_in_bulk
from app.api.response_models import BulkReply, RecordedReply


def include_routes(app: FastAPI) -> None:
    _take_answers(app)
    app.include_router(responses.routes)
    app.include_router(workspace.routes)
    app.include_router(api_keys.routes)
    app.include_router(health.routes)


def _take_answers(app: FastAPI) -> None:
    """On the app itself and first in line: these are the routes that are asked thousands of times a second."""
    app.router.add_api_route(
        "/v1/responses",
        record_response,
        methods=["POST"],
        status_code=201,
        response_model=RecordedReply,
        route_class_override=HotRoute,
        tags=["responses"],
        summary="Record a response",
    )
    app.router.add_api_route(
        "/v1/responses/bulk",
        record_responses_in_bulk,
        methods=["POST"],
        response_model=BulkReply,
        route_class_override=HotRoute,
        tags=["responses"],
        summary="Record up to 500 responses",
    )
