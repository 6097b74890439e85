"""One endpoint in a line: is it well, and what came of it lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.api.webhook_models import Delivery, WebhookEndpoint, delivery_of, endpoint_of
from app.dashboard.wording import count
from app.db.engine import ReadTx
from app.domain.webhook_endpoint import DisabledReason
from app.queries.deliveries import DeliveryFilter, list_deliveries
from app.queries.endpoint_stats import EndpointStats, endpoint_stats
from app.queries.pages import Page

WELL_ABOVE = 0.98  # share of attempts that succeed
FEW = 2  # failures happen everywhere now and then


@dataclass(frozen=True, slots=True)
class Health:
    word: str
    tone: str
    reason: str


@dataclass(frozen=True, slots=True)
class EndpointSummary:
    endpoint: WebhookEndpoint
    stats: EndpointStats
    health: Health
    last: Delivery | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of several endpoints together."""

    attempts: int
    delivered: int
    backlog: int
    oldest_pending_at: datetime | None

    @property
    def success_rate(self) -> float | None:
        return self.delivered / self.attempts if self.attempts else None


def totals_of(summaries: Sequence[EndpointSummary]) -> Totals:
    stats = [summary.stats for summary in summaries]
    waiting = [one.oldest_pending_at for one in stats if one.oldest_pending_at is not None]
    return Totals(
        attempts=sum(one.attempts for one in stats),
        delivered=sum(one.delivered for one in stats),
        backlog=sum(one.backlog for one in stats),
        oldest_pending_at=min(waiting, default=None),
    )


async def summary_of(tx: ReadTx, row: dict[str, Any], *, now: datetime) -> EndpointSummary:
    endpoint, workspace_id = endpoint_of(row), row["workspace_id"]
    stats = await endpoint_stats(tx, workspace_id, row["id"], now=now)
    newest = await list_deliveries(tx, workspace_id, DeliveryFilter(endpoint_id=row["id"]), Page(limit=1))
    last = delivery_of(newest.rows[0]) if newest.rows else None
    return EndpointSummary(endpoint, stats, _health(endpoint, stats), last)


def _health(endpoint: WebhookEndpoint, stats: EndpointStats) -> Health:
    failed = stats.attempts - stats.delivered
    if endpoint.disabled_reason is DisabledReason.GONE:
        return Health("Disabled", "bad", "Its receiver answered 410 Gone.")
    if endpoint.disabled_at is not None:
        return Health("Disabled", "calm", "Nothing is sent to it.")
    if stats.attempts == 0:
        return Health("Quiet", "calm", "Nothing was sent in the last 24 hours.")
    if stats.delivered == 0:
        return Health("Failing", "bad", "No attempt of the last 24 hours succeeded.")
    if failed > FEW and stats.delivered / stats.attempts < WELL_ABOVE:
        return Health("Unsteady", "warn", f"{count(failed)} of {count(stats.attempts)} attempts failed in 24 hours.")
    return Health("Healthy", "good", "Attempts succeed.")
