"""One delivery: from the claim to what is to be written down about it."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import random
from time import monotonic

import structlog

from app.clock import utc_now
from app.config import Settings
from app.domain.connectors.catalogue import EndpointKind
from app.domain.ids import shown
from app.domain.webhooks.attempts import Failure, Outcome, unsent
from app.domain.webhooks.backoff import disables_endpoint, next_attempt
from app.domain.webhooks.delivery import DeliveryState
from app.domain.webhooks.payload import payload
from app.domain.webhooks.payload_template import TemplateFailed, TemplateRefused
from app.domain.webhooks.webhook_body import webhook_body
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.operations.deliveries.claim import ClaimedDelivery, DueEndpoint
from app.operations.deliveries.settle import Attempt, Settlement
from app.operations.webhook_endpoints import disable_gone_endpoint
from app.outbound.connectors.run import CutShort
from app.outbound.webhook import extra_headers, post_webhook
from app.workers.run_connector import OutOfTurn, run_connector
from app.workers.worker import Worker

log = structlog.get_logger()

TURN = timedelta(seconds=30)  # until a connector may have told what came before
OUR_TROUBLE = timedelta(seconds=60)  # what fails on our side is no attempt, and waits this long


async def deliver(delivery: ClaimedDelivery, *, worker: Worker, lease_ends_at: float) -> Settlement:
    """`lease_ends_at` is on the monotonic clock. Raises nothing that a receiver could cause."""
    if _too_little_lease(lease_ends_at, worker.settings):
        return give_back(delivery)
    started_at, outcome = utc_now(), None
    try:
        outcome = await _attempt(delivery, now=started_at, worker=worker)
        if disables_endpoint(outcome) and not await _disable(delivery.endpoint, outcome, worker=worker, now=utc_now()):
            return Settlement(delivery, DeliveryState.PENDING, wait=timedelta(0), attempt=Attempt(started_at, outcome))
        return judge(delivery, outcome, started_at=started_at)
    except OutOfTurn:
        return give_back(delivery, wait=TURN)
    except Exception as error:  # our trouble must not become the receiver's failed attempt
        log.exception("a delivery could not be tried", delivery=shown("delivery", delivery.id))
        last = error.last if isinstance(error, CutShort) else outcome
        return _cut_short(delivery, last, started_at=started_at)


def _too_little_lease(lease_ends_at: float, settings: Settings) -> bool:
    return lease_ends_at - monotonic() < settings.least_lease_seconds


def body_of(delivery: ClaimedDelivery) -> bytes:
    """The same bytes at every attempt, unless the endpoint is told otherwise meanwhile. Raises TemplateFailed."""
    endpoint = delivery.endpoint
    told = payload(
        delivery.event_id,
        type=delivery.event_type,
        occurred_at=delivery.occurred_at,
        schema_version=delivery.schema_version,
        livemode=endpoint.livemode,
        workspace_id=endpoint.workspace_id,
        data=delivery.data,
    )
    return webhook_body(told, kind=endpoint.payload, template=endpoint.template, content_type=endpoint.content_type)


async def _attempt(delivery: ClaimedDelivery, *, now: datetime, worker: Worker) -> Outcome:
    if delivery.endpoint.kind != EndpointKind.WEBHOOK:
        return await run_connector(delivery, worker.means(now=now))
    try:
        body = body_of(delivery)
    except (TemplateFailed, TemplateRefused) as error:  # which it would again
        return unsent(Failure.TEMPLATE_FAILED, why=str(error))
    options = worker.keys.options_of(delivery.endpoint)
    return await post_webhook(
        worker.client,
        delivery.endpoint.url,
        webhook_id=shown("event", delivery.event_id),
        body=body,
        secrets=worker.keys.of(delivery.endpoint),
        extra=extra_headers(options, body=body, content_type=delivery.endpoint.content_type),
        now=now,
        deadline_seconds=worker.settings.attempt_deadline_seconds,
    )


async def _disable(endpoint: DueEndpoint, outcome: Outcome, *, worker: Worker, now: datetime) -> bool:
    """Not if it has been changed since it was asked: then the delivery is for it as it is now."""
    reason = DisabledReason(outcome.failure or Failure.GONE)
    async with worker.engine.write() as tx:
        is_over = await disable_gone_endpoint(tx, endpoint, reason=reason, now=now)
    if is_over:
        log.warning("an endpoint wants nothing more and was disabled", endpoint=shown("endpoint", endpoint.id))
    return is_over


def judge(delivery: ClaimedDelivery, outcome: Outcome, *, started_at: datetime) -> Settlement:
    attempt = Attempt(started_at, outcome)
    if outcome.failure is None:
        return Settlement(delivery, DeliveryState.DELIVERED, attempt=attempt)
    jitter = random()  # noqa: S311 - spreads retries, hides nothing
    wait = next_attempt(delivery.step + 1, outcome=outcome, jitter=jitter)
    if wait is None:
        return Settlement(delivery, DeliveryState.EXHAUSTED, attempt=attempt)
    return Settlement(delivery, DeliveryState.PENDING, wait=wait, attempt=attempt)


def _cut_short(delivery: ClaimedDelivery, last: Outcome | None, *, started_at: datetime) -> Settlement:
    """What may have been seen counts, so that it is not sent again for ever; what was not sent only waits."""
    if last is None or not last.sent:
        return give_back(delivery, wait=OUR_TROUBLE)
    outcome = replace(last, failure=Failure.CUT_SHORT, retry_after_seconds=None)
    return judge(delivery, outcome, started_at=started_at)


def give_back(delivery: ClaimedDelivery, *, wait: timedelta = timedelta(0)) -> Settlement:
    return Settlement(delivery, DeliveryState.PENDING, wait=wait)
