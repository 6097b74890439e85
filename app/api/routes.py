"""Every route, in reading order."""

from fastapi import FastAPI

from app.api import (
    accounts,
    api_keys,
    audiences,
    authorizations,
    campaign_mails,
    campaign_recipients,
    campaigns,
    deliveries,
    endpoint_stats,
    event_samples,
    events,
    follow_ups,
    funnels,
    health,
    imports,
    invitations,
    logo,
    mail_sources,
    personal_links,
    problem_pages,
    pulls,
    questions,
    recipients,
    replays,
    responses,
    reward_codes,
    sample_size,
    scores,
    sender_domains,
    survey_check,
    survey_templates,
    touchpoints,
    tracked_properties,
    webhook_endpoints,
    webhook_previews,
    workspace,
)
from app.api.inbound.mail import include_mail
from app.api.inbound.slack import include_slack
from app.api.openapi.parameters import TAKES_IDEMPOTENCY_KEY
from app.api.problem_types import refuses
from app.api.public.oauth_callback import include_oauth_callback
from app.api.public.widget import RecordedWidgetResponse, WidgetRoute, allow_widget_requests, record_widget_response
from app.api.recipient_models import REFUSED_PEOPLE
from app.api.record_responses import RecordingRoute, record_response, record_responses_in_bulk
from app.api.response_models import RecordedResponse, ResponseBulkReply
from app.api.security_schemes import NEEDS_PUBLISHABLE_KEY, needs_scope
from app.domain.campaign import CampaignIsAnonymous, CampaignNotAccepting, CampaignNotFound
from app.domain.people.recipient import RecipientNotFound
from app.domain.response import AlreadyAnswered, AnsweredInTheFuture, IdempotencyKeyReused, ResponseSealed, ScoreMissing
from app.domain.scores.metric import ScoreOutOfRange
from app.domain.survey.answers import AnswersInvalid

REPEATED = "It was here already, or has been amended."
REFUSED_BY_CAMPAIGN = (CampaignNotFound, CampaignNotAccepting, ScoreOutOfRange)
REFUSED_ANSWERS = (
    *REFUSED_BY_CAMPAIGN, CampaignIsAnonymous, *REFUSED_PEOPLE, RecipientNotFound, AnsweredInTheFuture, AnswersInvalid,
)  # fmt: skip

RESOURCES = (
    campaigns,
    campaign_mails,
    survey_templates,
    survey_check,
    reward_codes,
    campaign_recipients,
    personal_links,
    invitations,
    touchpoints,
    recipients,
    accounts,
    audiences,
    imports,
    responses,
    follow_ups,
    scores,
    questions,
    funnels,
    sample_size,
    tracked_properties,
    event_samples,
    events,
    webhook_endpoints,
    authorizations,
    webhook_previews,
    endpoint_stats,
    pulls,
    replays,
    deliveries,
    workspace,
    logo,
    mail_sources,
    sender_domains,
    api_keys,
    problem_pages,
    health,
)


def include_routes(app: FastAPI) -> None:
    _take_answers(app)
    _take_answers_of_widgets(app)
    for resource in RESOURCES:
        app.include_router(resource.routes)
    include_slack(app)
    include_mail(app)
    include_oauth_callback(app)


def _take_answers(app: FastAPI) -> None:
    """On the app itself and first in line: these are the routes that are asked thousands of times a second."""
    app.router.add_api_route(
        "/v1/responses",
        record_response,
        methods=["POST"],
        status_code=201,
        response_model=RecordedResponse,
        route_class_override=RecordingRoute,
        tags=["responses"],
        summary="Record a response",
        responses={
            200: {"model": RecordedResponse, "description": REPEATED},
            **refuses(*REFUSED_ANSWERS, AlreadyAnswered, IdempotencyKeyReused, "idempotency_key_unusable"),
        },
        openapi_extra=needs_scope("responses:write") | TAKES_IDEMPOTENCY_KEY,
    )
    app.router.add_api_route(
        "/v1/responses/bulk",
        record_responses_in_bulk,
        methods=["POST"],
        response_model=ResponseBulkReply,
        route_class_override=RecordingRoute,
        tags=["responses"],
        summary="Record up to 500 responses",
        responses=refuses("idempotency_key_unusable"),
        openapi_extra=needs_scope("responses:write") | TAKES_IDEMPOTENCY_KEY,
    )


def _take_answers_of_widgets(app: FastAPI) -> None:
    app.router.add_api_route(
        "/v1/widget/responses",
        record_widget_response,
        methods=["POST"],
        status_code=201,
        response_model=RecordedWidgetResponse,
        route_class_override=WidgetRoute,
        tags=["widget"],
        summary="Record a response from a browser",
        responses={
            200: {"model": RecordedWidgetResponse, "description": REPEATED},
            **refuses(
                *REFUSED_BY_CAMPAIGN, ResponseSealed, ScoreMissing, "publishable_key_needed", "origin_not_allowed"
            ),
        },
        openapi_extra=NEEDS_PUBLISHABLE_KEY,
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
