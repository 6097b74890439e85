"""Deliveries: what became of each event for each endpoint, and another try."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from app.api.delivery_models import Delivery, DeliveryWithAttempts, delivery_of, delivery_with_attempts
from app.api.dependencies import ReadTx, Tx, WebhookReader, WebhookWriter
from app.api.idempotency import Idempotency
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import DeliveryId, EndpointId, EventId, Instant, Line, Listing, RecipientId
from app.domain.webhooks.delivery import (
    DeliveryExpired,
    DeliveryFinished,
    DeliveryNotFound,
    DeliveryState,
    DeliveryUnderWay,
)
from app.domain.webhooks.webhook_endpoint import WebhookEndpointDisabled, WebhookEndpointNotFound
from app.operations.deliveries.cancel import cancel_delivery as cancel
from app.operations.deliveries.retry import retry_delivery as retry
from app.queries import deliveries as queries

routes = router("webhooks")


SINCE = "Made at or after this instant."
UNTIL = "Made before this instant."
ABOUT = "Of events about this recipient; no longer kept events are not found by it."


async def _wanted(
    state: DeliveryState | None = None,
    endpoint_id: Annotated[EndpointId | None, Query()] = None,
    event_id: Annotated[EventId | None, Query()] = None,
    since: Annotated[Instant | None, Query(description=SINCE)] = None,
    until: Annotated[Instant | None, Query(description=UNTIL)] = None,
    recipient_id: Annotated[RecipientId | None, Query(description=ABOUT)] = None,
    external_id: Annotated[Line | None, Query(description="The recipient's, instead of their id.")] = None,
    email: Annotated[Line | None, Query(description="The recipient's, instead of their id.")] = None,
) -> queries.DeliveryFilter:
    return queries.DeliveryFilter(state, event_id, endpoint_id, since, until, recipient_id, external_id, email)


@routes.get("/v1/deliveries", response_model=Listing[Delivery], summary="List deliveries")
async def list_deliveries(
    caller: WebhookReader,
    tx: ReadTx,
    page: NewestFirst,
    request: Request,
    response: Response,
    wanted: Annotated[queries.DeliveryFilter, Depends(_wanted)],
) -> Mapping[str, Any]:
    """Of one endpoint or of all, newest first. `state=exhausted` lists the dead letters: deliveries whose timetable
    ended without a success.
    """
    found = await queries.list_deliveries(tx, caller.workspace_id, wanted, page)
    return listing(request, response, found, [delivery_of(row) for row in found.rows])


@routes.get(
    "/v1/deliveries/{delivery_id}", summary="Read a delivery and its attempts", responses=refuses(DeliveryNotFound)
)
async def get_delivery(delivery_id: DeliveryId, caller: WebhookReader, tx: ReadTx) -> DeliveryWithAttempts:
    return delivery_with_attempts(await queries.get_delivery(tx, caller.workspace_id, delivery_id), caller=caller)


@routes.post(
    "/v1/deliveries/{delivery_id}/cancel",
    summary="Cancel a delivery",
    responses=refuses(DeliveryNotFound, DeliveryUnderWay, DeliveryFinished),
)
async def cancel_delivery(delivery_id: DeliveryId, caller: WebhookWriter, tx: Tx) -> DeliveryWithAttempts:
    """No more attempts are made, until somebody asks for a retry."""
    await cancel(tx, caller.workspace_id, delivery_id)
    return delivery_with_attempts(await queries.get_delivery(tx, caller.workspace_id, delivery_id), caller=caller)


@routes.post(
    "/v1/deliveries/{delivery_id}/retry",
    status_code=202,
    summary="Try a delivery again at once",
    responses=refuses(
        DeliveryNotFound, DeliveryUnderWay, DeliveryExpired, WebhookEndpointNotFound, WebhookEndpointDisabled
    ),
)
async def retry_delivery(
    delivery_id: DeliveryId, caller: WebhookWriter, once: Idempotency, tx: Tx
) -> DeliveryWithAttempts:
    """Also one that was given up, or that arrived and got lost there. The timetable of retries begins anew."""
    if once.id is None:
        await retry(tx, caller.workspace_id, once.keep(delivery_id))
    return delivery_with_attempts(await queries.get_delivery(tx, caller.workspace_id, delivery_id), caller=caller)
