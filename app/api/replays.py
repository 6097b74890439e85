"""Delivering again what an endpoint missed: one event, or all of a range."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi import Request as HttpRequest
from pydantic import Field

from app.api.delivery_models import DeliveryWithAttempts, delivery_with_attempts
from app.api.dependencies import Now, ReadTx, Tx, WebhookReader, WebhookWriter
from app.api.idempotency import Idempotency
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import EndpointId, EventId, Flag, Instant, Listing, ReplayId, Reply, Request
from app.domain.events import EventNotFound
from app.domain.webhooks.delivery import DeliveryExpired, DeliveryUnderWay
from app.domain.webhooks.replay import (
    ReplayFinished,
    ReplayNotFound,
    ReplayRange,
    ReplayRangeEmpty,
    ReplayState,
    state_of,
)
from app.domain.webhooks.webhook_endpoint import WebhookEndpointDisabled, WebhookEndpointNotFound
from app.operations.deliveries import replay as operations
from app.queries import replays as queries
from app.queries.deliveries import get_delivery
from app.queries.webhook_endpoints import get_endpoint

routes = router("webhooks")
SINCE = Field(description="Events announced at or after this instant. They are kept for 30 days.")
UNTIL = Field(description="And before this one; left out: now.")


class ReplayStart(Request):
    since: Annotated[Instant, SINCE]
    until: Annotated[Instant | None, UNTIL] = None
    include_never_attempted: Flag = Field(
        default=False,
        description="Also events that pass the endpoint's filter today but never had a delivery, for instance because "
        "it was disabled. Otherwise only deliveries that are `exhausted`.",
    )

    def range(self, *, now: datetime) -> ReplayRange:
        return ReplayRange(self.since, self.until or now, self.include_never_attempted)


class Replay(Reply):
    """Worked off in batches. What it finds is delivered like anything else, under the same `webhook-id` as before."""

    id: ReplayId
    endpoint_id: EndpointId
    since: Instant
    until: Instant
    include_never_attempted: bool
    state: ReplayState = Field(
        description="Cancelled when somebody asks for it, or its endpoint is disabled or deleted before it is done."
    )
    replayed_count: int = Field(description="Deliveries made so far.")
    created_at: Instant
    finished_at: Instant | None

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> "Replay":
        return cls.model_validate({**row, "replayed_count": row["replayed"], "state": state_of(row)})


class ReplayPreview(Reply):
    """What a replay of this range would deliver."""

    exhausted_count: int
    never_attempted_count: int = Field(description="More, if the replay includes these too.")
    is_complete: bool = Field(description="False: the range has more than 100,000 events, and only these were counted.")


class EventDelivery(Request):
    endpoint_id: EndpointId


@routes.get(
    "/v1/webhook-endpoints/{endpoint_id}/replays/preview",
    summary="Count what a replay would deliver",
    responses=refuses(WebhookEndpointNotFound, ReplayRangeEmpty),
)
async def preview_replay(
    endpoint_id: EndpointId,
    caller: WebhookReader,
    tx: ReadTx,
    now: Now,
    since: Annotated[Instant, Query()],
    until: Annotated[Instant | None, Query(description="Left out: now.")] = None,
) -> ReplayPreview:
    await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)
    wanted = ReplayRange(since, until or now)
    return ReplayPreview.model_validate(await operations.count_replay(tx, caller.workspace_id, endpoint_id, wanted))


@routes.post(
    "/v1/webhook-endpoints/{endpoint_id}/replays",
    status_code=202,
    summary="Deliver again what an endpoint missed",
    responses=refuses(WebhookEndpointNotFound, WebhookEndpointDisabled, ReplayRangeEmpty),
)
async def start_replay(
    endpoint_id: EndpointId, body: ReplayStart, caller: WebhookWriter, once: Idempotency, tx: Tx, now: Now
) -> Replay:
    """In batches, by a worker. `GET /v1/replays/{replay_id}` tells how far it is."""
    replay_id = once.id or once.keep(
        await operations.start_replay(tx, caller.workspace_id, endpoint_id, body.range(now=now), now=now)
    )
    return Replay.of(await queries.get_replay(tx, caller.workspace_id, replay_id))


@routes.get(
    "/v1/webhook-endpoints/{endpoint_id}/replays",
    response_model=Listing[Replay],
    summary="List the replays of a webhook endpoint",
    responses=refuses(WebhookEndpointNotFound),
)
async def list_replays(
    endpoint_id: EndpointId,
    caller: WebhookReader,
    tx: ReadTx,
    page: NewestFirst,
    now: Now,
    request: HttpRequest,
    response: Response,
) -> Mapping[str, Any]:
    await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)
    found = await queries.list_replays(tx, caller.workspace_id, endpoint_id, page)
    return listing(request, response, found, [Replay.of(row) for row in found.rows])


@routes.get("/v1/replays/{replay_id}", summary="Read a replay", responses=refuses(ReplayNotFound))
async def get_replay(replay_id: ReplayId, caller: WebhookReader, tx: ReadTx) -> Replay:
    return Replay.of(await queries.get_replay(tx, caller.workspace_id, replay_id))


@routes.post(
    "/v1/replays/{replay_id}/cancel", summary="Cancel a replay", responses=refuses(ReplayNotFound, ReplayFinished)
)
async def cancel_replay(replay_id: ReplayId, caller: WebhookWriter, tx: Tx) -> Replay:
    """It makes no more deliveries. Those it has made stay; each can be cancelled for itself."""
    await operations.cancel_replay(tx, caller.workspace_id, replay_id)
    return Replay.of(await queries.get_replay(tx, caller.workspace_id, replay_id))


@routes.post(
    "/v1/events/{event_id}/deliveries",
    status_code=202,
    summary="Deliver one event to one endpoint",
    responses=refuses(
        EventNotFound, WebhookEndpointNotFound, WebhookEndpointDisabled, DeliveryUnderWay, DeliveryExpired
    ),
)
async def deliver_event(
    event_id: EventId, body: EventDelivery, caller: WebhookWriter, once: Idempotency, tx: Tx
) -> DeliveryWithAttempts:
    """At once and whatever its filter says. One that is there already is tried again."""
    delivery_id = once.id or once.keep(
        await operations.deliver_event(tx, caller.workspace_id, event_id, body.endpoint_id)
    )
    return delivery_with_attempts(await get_delivery(tx, caller.workspace_id, delivery_id), caller=caller)
