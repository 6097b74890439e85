"""Webhook endpoints: who listens, to what, and with which secrets."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from app.api.dependencies import Now, ReadTx, ServicesOf, Tx, WebhookReader, WebhookWriter
from app.api.idempotency import Idempotency
from app.api.pagination import AnyOrder, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import EndpointId, Listing
from app.api.webhook_models import (
    REFUSED_ENDPOINTS,
    EnabledWebhookEndpoint,
    NewWebhookEndpoint,
    NewWebhookSecret,
    SecretRotation,
    TestSend,
    WebhookEndpoint,
    WebhookEndpointCreate,
    WebhookEndpointEdit,
    WebhookEndpointEnable,
    endpoint_of,
    new_endpoint_of,
)
from app.domain.connectors.catalogue import EndpointKind
from app.domain.webhooks.webhook_endpoint import (
    DisabledReason,
    EndpointDoesNotSign,
    NothingToCheck,
    SecretsNeededAgain,
    TooManyEndpoints,
    TooManySecrets,
    WebhookEndpointDisabled,
    WebhookEndpointNotFound,
)
from app.operations import connectors, endpoint_secrets
from app.operations import webhook_endpoints as operations
from app.queries import webhook_endpoints as queries
from app.queries.api_keys import Caller

routes = router("webhooks")
PLACE = "/v1/webhook-endpoints/{endpoint_id}"


@routes.post(
    "/v1/webhook-endpoints",
    status_code=201,
    summary="Create a webhook endpoint",
    responses=refuses(*REFUSED_ENDPOINTS, TooManyEndpoints),
)
async def create_webhook_endpoint(
    body: WebhookEndpointCreate, caller: WebhookWriter, once: Idempotency, tx: Tx, now: Now, services: ServicesOf
) -> NewWebhookEndpoint:
    """Events that happen from now on are posted to its URL, signed as Standard Webhooks has it.

    A connector tells a service in its own words instead. It is checked at once by a harmless call, where the service
    has one: an `endpoint.test` among its deliveries says how that ended.
    """
    if once.id is not None:
        return new_endpoint_of(await _row(tx, caller, once.id, now), secret=None)
    workspace_id, guard, vault = caller.workspace_id, services.guard, services.vault
    if body.kind is not EndpointKind.WEBHOOK:
        connector_id = await connectors.create_connector(
            tx, vault, workspace_id, body.columns(), settings=body.settings, authorization_id=body.authorization_id,
            guard=guard, now=now,
        )  # fmt: skip
        return new_endpoint_of(await _row(tx, caller, once.keep(connector_id), now), secret=None)
    connectors.check_no_settings(body.settings, body.authorization_id)
    endpoint_id = once.keep(
        await operations.create_endpoint(tx, workspace_id, body.columns(), guard=guard, vault=vault, now=now)
    )
    made = await endpoint_secrets.make_secret(tx, vault, workspace_id, endpoint_id, signing=body.signing, now=now)
    return new_endpoint_of(await _row(tx, caller, endpoint_id, now), secret=made.shown)


@routes.get("/v1/webhook-endpoints", response_model=Listing[WebhookEndpoint], summary="List webhook endpoints")
async def list_webhook_endpoints(
    caller: WebhookReader, tx: ReadTx, page: AnyOrder, now: Now, request: Request, response: Response
) -> Mapping[str, Any]:
    found = await queries.list_endpoints(tx, caller.workspace_id, page, now=now)
    return listing(request, response, found, [endpoint_of(row) for row in found.rows])


@routes.get(PLACE, summary="Read a webhook endpoint", responses=refuses(WebhookEndpointNotFound))
async def get_webhook_endpoint(endpoint_id: EndpointId, caller: WebhookReader, tx: ReadTx, now: Now) -> WebhookEndpoint:
    return await _shown(tx, caller, endpoint_id, now)


@routes.patch(
    PLACE,
    summary="Edit a webhook endpoint",
    responses=refuses(WebhookEndpointNotFound, SecretsNeededAgain, *REFUSED_ENDPOINTS),
)
async def update_webhook_endpoint(
    endpoint_id: EndpointId, body: WebhookEndpointEdit, caller: WebhookWriter, tx: Tx, now: Now, services: ServicesOf
) -> WebhookEndpoint:
    """A new URL is used for everything still to be sent; a new filter for events that happen from now on.

    A URL of another host takes along only the headers, keys and secret settings that are given again with it.
    """
    await connectors.change_any_endpoint(
        tx, services.vault, caller.workspace_id, endpoint_id, body.columns(), guard=services.guard, now=now
    )
    return await _shown(tx, caller, endpoint_id, now)


@routes.delete(PLACE, status_code=204, summary="Delete a webhook endpoint", responses=refuses(WebhookEndpointNotFound))
async def delete_webhook_endpoint(endpoint_id: EndpointId, caller: WebhookWriter, tx: Tx, now: Now) -> None:
    """What was still to be delivered is cancelled; each delivery can still be read."""
    await operations.delete_endpoint(tx, caller.workspace_id, endpoint_id, now=now)


@routes.post(f"{PLACE}/disable", summary="Disable a webhook endpoint", responses=refuses(WebhookEndpointNotFound))
async def disable_webhook_endpoint(endpoint_id: EndpointId, caller: WebhookWriter, tx: Tx, now: Now) -> WebhookEndpoint:
    """Events that happen while it is disabled are not delivered to it; what was pending waits."""
    await operations.disable_endpoint(tx, caller.workspace_id, endpoint_id, reason=DisabledReason.REQUESTED, now=now)
    return await _shown(tx, caller, endpoint_id, now)


@routes.post(f"{PLACE}/enable", summary="Enable a webhook endpoint", responses=refuses(WebhookEndpointNotFound))
async def enable_webhook_endpoint(
    endpoint_id: EndpointId, body: WebhookEndpointEnable, caller: WebhookWriter, tx: Tx, now: Now
) -> EnabledWebhookEndpoint:
    """What was pending goes on where it stood."""
    enabled = await operations.enable_endpoint(
        tx, caller.workspace_id, endpoint_id, now=now, deliver_missed=body.deliver_missed
    )
    return EnabledWebhookEndpoint.now(await _row(tx, caller, endpoint_id, now), **enabled._asdict())


@routes.post(
    f"{PLACE}/secrets/rotate",
    status_code=201,
    summary="Replace the secret of a webhook endpoint",
    responses=refuses(WebhookEndpointNotFound, TooManySecrets, EndpointDoesNotSign),
)
async def rotate_webhook_secret(
    endpoint_id: EndpointId,
    body: SecretRotation,
    caller: WebhookWriter,
    once: Idempotency,
    tx: Tx,
    now: Now,
    services: ServicesOf,
) -> NewWebhookSecret:
    """Until the overlap ends, every attempt carries a signature by each secret: the receiver can change at leisure."""
    await queries.lock_endpoint(tx, caller.workspace_id, endpoint_id)
    if once.id is not None:
        row = await queries.get_secret(tx, caller.workspace_id, endpoint_id, once.id)
        return NewWebhookSecret.made(row, secret=None)
    made = await endpoint_secrets.rotate_secret(
        tx, services.vault, caller.workspace_id, endpoint_id, signing=body.signing, overlap=body.overlap, now=now
    )
    row = await queries.get_secret(tx, caller.workspace_id, endpoint_id, once.keep(made.id))
    return NewWebhookSecret.made(row, secret=made.shown)


@routes.post(
    f"{PLACE}/test",
    status_code=202,
    summary="Send a test event to a webhook endpoint",
    responses=refuses(WebhookEndpointNotFound, WebhookEndpointDisabled),
)
async def test_webhook_endpoint(
    endpoint_id: EndpointId, caller: WebhookWriter, once: Idempotency, tx: Tx, now: Now
) -> TestSend:
    """An `endpoint.test` event, to this endpoint alone and whatever its filter. Retried like any other."""
    event_id = once.id or once.keep(await operations.send_test(tx, caller.workspace_id, endpoint_id, now=now))
    return TestSend(event_id=event_id, endpoint_id=endpoint_id)


@routes.post(
    f"{PLACE}/check",
    status_code=202,
    summary="Check the credentials of a connector",
    responses=refuses(WebhookEndpointNotFound, WebhookEndpointDisabled, NothingToCheck),
)
async def check_webhook_endpoint(
    endpoint_id: EndpointId, caller: WebhookWriter, once: Idempotency, tx: Tx, now: Now
) -> TestSend:
    """A worker asks the service something harmless, which nobody there sees. How it ended stands among the endpoint's
    deliveries, under this event.
    """
    event_id = once.id or once.keep(await connectors.check_connector(tx, caller.workspace_id, endpoint_id, now=now))
    return TestSend(event_id=event_id, endpoint_id=endpoint_id)


async def _row(tx: Tx | ReadTx, caller: Caller, endpoint_id: UUID, now: Now) -> dict[str, Any]:
    return await queries.get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)


async def _shown(tx: Tx | ReadTx, caller: Caller, endpoint_id: UUID, now: Now) -> WebhookEndpoint:
    return endpoint_of(await _row(tx, caller, endpoint_id, now))
