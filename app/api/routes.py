"""Every route, in reading order."""

from fastapi import FastAPI

from app.api import (
    accounts,
    api_keys,
    campaign_recipients,
    campaigns,
    deliveries,
    events,
    health,
    recipients,
    responses,
    scores,
    tracked_properties,
    webhook_endpoints,
    workspace,
)
from app.api.hot_route import HotRoute
from app.api.public.widget import WidgetReply, WidgetRoute, allow_widget_requests, record_widget_response
from app.api.record_responses import record_response, record_responses_in_bulk
from app.api.response_models import BulkReply, RecordedReply


def include_routes(app: FastAPI) -> None:
    _take_answers(app)
    app.include_router(campaigns.routes)
    app.include_router(campaign_recipients.routes)
    app.include_router(recipients.routes)
    app.include_router(accounts.routes)
    app.include_router(responses.routes)
    app.include_router(scores.routes)
    app.include_router(tracked_properties.routes)
    app.include_router(events.routes)
    app.include_router(webhook_endpoints.routes)
    app.include_router(deliveries.routes)
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
    app.router.add_api_route(
        "/v1/widget/responses",
        record_widget_response,
        methods=["POST"],
        status_code=201,
        response_model=WidgetReply,
        route_class_override=WidgetRoute,
        tags=["widget"],
        summary="Record a response from a browser",
    )
    app.router.add_api_route(
        "/v1/widget/responses",
        allow_widget_requests,
        methods=["OPTIONS"],
        status_code=204,
        tags=["widget"],
        summary="Answer a browser that asks first",
        include_in_schema=False,
    )
