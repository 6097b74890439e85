"""One endpoint in a line: is it well, and what came of it lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.api.delivery_models import Delivery, delivery_of
from app.api.webhook_models import WebhookEndpoint, endpoint_of
from app.dashboard.wording import count
from app.db.engine import ReadTx
from app.domain.webhooks.breaker import HealthState
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.queries.deliveries import DeliveryFilter, list_deliveries
from app.queries.endpoint_stats import EndpointStats, endpoint_stats
from app.queries.pages import Page

WELL_ABOVE = 0.98  # share of attempts that succeed
TONES = ("bad", "warn", "good", "calm")
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

    @property
    def hint(self) -> str | None:
        """What to do about the last failure, if it is not over."""
        failure = self.endpoint.health.last_failure
        return failure.hint if failure is not None and self.endpoint.disabled_at is None else None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of several endpoints together."""

    attempt_count: int
    delivered_count: int
    backlog: int
    oldest_pending_at: datetime | None

    @property
    def success_rate(self) -> float | None:
        return self.delivered_count / self.attempt_count if self.attempt_count else None


def worst_first(summaries: Sequence[EndpointSummary]) -> Sequence[EndpointSummary]:
    """As they came within a tone."""
    return sorted(summaries, key=lambda summary: TONES.index(summary.health.tone))


def totals_of(summaries: Sequence[EndpointSummary]) -> Totals:
    stats = [summary.stats for summary in summaries]
    waiting = [one.oldest_pending_at for one in stats if one.oldest_pending_at is not None]
    return Totals(
        attempt_count=sum(one.attempt_count for one in stats),
        delivered_count=sum(one.delivered_count for one in stats),
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
    if endpoint.disabled_reason is not None:
        return RESTING[endpoint.disabled_reason]
    failures = (
        f"{count(endpoint.health.failures)} in a row failed" if endpoint.health.failures > 1 else "The last failed"
    )
    if endpoint.health.state is HealthState.PAUSED:
        return Health("Paused", "bad", f"{failures}. One delivery is tried when the pause ends; the others wait.")
    if endpoint.health.state is HealthState.FAILING:
        return Health("Failing", "warn", f"{failures}; deliveries go on.")
    return _lately(stats)


def _lately(stats: EndpointStats) -> Health:
    failed = stats.attempt_count - stats.delivered_count
    if stats.attempt_count == 0:
        return Health("Quiet", "calm", "Nothing was sent in the last 24 hours.")
    if failed > FEW and stats.delivered_count / stats.attempt_count < WELL_ABOVE:
        return Health(
            "Unsteady", "warn", f"{count(failed)} of {count(stats.attempt_count)} attempts failed in 24 hours."
        )
    return Health("Healthy", "good", "Attempts succeed.")


RESTING: Mapping[DisabledReason, Health] = {
    DisabledReason.REQUESTED: Health("Disabled", "calm", "Nothing is sent to it."),
    DisabledReason.GONE: Health("Disabled", "bad", "Its receiver answered 410 Gone."),
    DisabledReason.FAILING: Health("Disabled", "bad", "Nothing arrived at it for five days."),
    DisabledReason.UNAUTHORIZED: Health("Disabled", "bad", "Its service refused the credentials."),
    DisabledReason.NOT_THERE: Health("Disabled", "bad", "Its service no longer knows the webhook, channel or account."),
}
