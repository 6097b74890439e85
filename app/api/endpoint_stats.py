"""How a webhook endpoint is doing."""

from pydantic import Field

from app.api.dependencies import Now, ReadTx, WebhookReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import EndpointId, Instant, Reply
from app.domain.webhooks.webhook_endpoint import WebhookEndpointNotFound
from app.queries import endpoint_stats as queries
from app.queries.webhook_endpoints import get_endpoint

routes = router("webhooks")


class EndpointStats(Reply):
    """Of the last 24 hours, or of the latest 10,000 attempts if there were more."""

    since: Instant = Field(description="What is older was not looked at.")
    attempt_count: int
    delivered_count: int = Field(description="Attempts that were answered with 2xx.")
    success_rate: float | None = Field(description="Delivered attempts among all, 0 to 1; null without attempts.")
    p50_ms: float | None = Field(description="Half of the attempts took no longer.")
    p99_ms: float | None = Field(description="99 of 100 attempts took no longer.")
    backlog: int = Field(description="Pending deliveries at the moment, those that wait for a retry included.")
    oldest_pending_at: Instant | None = Field(description="When the oldest of them was made.")


@routes.get(
    "/v1/webhook-endpoints/{endpoint_id}/stats",
    summary="Read how a webhook endpoint is doing",
    responses=refuses(WebhookEndpointNotFound),
)
async def get_webhook_endpoint_stats(
    endpoint_id: EndpointId, caller: WebhookReader, tx: ReadTx, now: Now
) -> EndpointStats:
    await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)
    found = await queries.endpoint_stats(tx, caller.workspace_id, endpoint_id, now=now)
    return EndpointStats.model_validate(found)
