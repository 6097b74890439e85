"""One delivery: what was sent, what came back, and a button to try again."""

from fastapi import Request
from starlette.responses import Response

from app.api.delivery_models import delivery_with_attempts
from app.api.dependencies import Now, ReadTx, Tx
from app.api.schemas import DeliveryId, EndpointId
from app.api.webhook_models import endpoint_of
from app.dashboard.places import delivery_path
from app.dashboard.refusals import PageNotFound
from app.dashboard.sent_body import sent_body
from app.dashboard.shell import done, page
from app.dashboard.states import DELIVERIES
from app.dashboard.visitors import WebhookOperator, WebhookViewer
from app.operations.deliveries.cancel import cancel_delivery
from app.operations.deliveries.retry import retry_delivery
from app.queries import deliveries as queries
from app.queries.webhook_endpoints import get_endpoint


async def show_delivery(
    request: Request, endpoint_id: EndpointId, delivery_id: DeliveryId, visitor: WebhookViewer, tx: ReadTx, now: Now
) -> Response:
    caller = visitor.caller
    delivery = delivery_with_attempts(await queries.get_delivery(tx, caller.workspace_id, delivery_id), caller=caller)
    if delivery.endpoint_id != endpoint_id:
        raise PageNotFound
    endpoint = await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)
    may_read = caller.may("events:read")
    return page(
        request, "delivery.html", endpoint=endpoint_of(endpoint), delivery=delivery, states=DELIVERIES,
        may_read_events=may_read,
        sent=await sent_body(tx, caller, endpoint, delivery_id) if may_read else None,
        may_change=caller.may("webhooks:write"),
    )  # fmt: skip


async def retry(
    request: Request, endpoint_id: EndpointId, delivery_id: DeliveryId, visitor: WebhookOperator, tx: Tx
) -> Response:
    await retry_delivery(tx, visitor.caller.workspace_id, delivery_id)
    return done(request, delivery_path(endpoint_id, delivery_id), "retried")


async def cancel(
    request: Request, endpoint_id: EndpointId, delivery_id: DeliveryId, visitor: WebhookOperator, tx: Tx
) -> Response:
    await cancel_delivery(tx, visitor.caller.workspace_id, delivery_id)
    return done(request, delivery_path(endpoint_id, delivery_id), "cancelled")
