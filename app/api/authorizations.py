"""Somebody lets a connector in on the service's own page, instead of copying a token from there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.dependencies import Now, ReadTx, Services, ServicesOf, Tx, WebhookReader, WebhookWriter
from app.api.idempotency import Idempotency
from app.api.problem_types import refuses
from app.api.public.oauth_callback import CALLBACK
from app.api.routing import router
from app.api.schemas import AuthorizationId, Instant, Reply, Request
from app.api.webhook_options import Settings
from app.domain.connectors.authorization import (
    AuthorizationFailure,
    AuthorizationNotFound,
    AuthorizationState,
    AuthorizationUnusable,
    TooManyAuthorizations,
)
from app.domain.connectors.catalogue import EndpointKind
from app.domain.connectors.settings import ConnectorSettingsUnusable
from app.domain.webhooks.receiver_url import UnusableURL
from app.operations.authorizations import begin_authorization, consent_url_of
from app.queries.authorizations import get_authorization as find

routes = router("webhooks")
MAY_EXPIRE = {AuthorizationState.WAITING, AuthorizationState.GRANTED}  # if nobody consents, or uses it, in time


class AuthorizationCreate(Request):
    kind: EndpointKind = Field(description="hubspot, salesforce, zoho or google_sheets.")
    settings: Settings = Field(
        description="Of the connector, without its `refresh_token`: the app's `client_id` and `client_secret`, and "
        "what else the endpoint is to have.",
        examples=[{"client_id": "9f2c…", "client_secret": "…"}],
    )


class Authorization(Reply):
    id: AuthorizationId
    kind: EndpointKind
    settings: dict[str, Any] = Field(description="Without what is secret.")
    redirect_url: str = Field(description="Where the service sends them back to; register it with the app.")
    state: AuthorizationState
    failure: AuthorizationFailure | None
    failure_hint: str | None = Field(description="What to do about it.")
    last_reply: str | None = Field(description="What the service said about it.")
    expires_at: Instant = Field(description="Until then somebody may consent, or what was granted be used.")
    created_at: Instant

    @classmethod
    def fields_of(cls, row: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
        state, failure = AuthorizationState(row["state"]), row["failure"]
        is_over = state in MAY_EXPIRE and row["expires_at"] <= now
        own = {name: row[name] for name in Authorization.model_fields if name in row}
        return {
            **own,
            "state": AuthorizationState.EXPIRED if is_over else state,
            "failure_hint": AuthorizationFailure(failure).hint if failure else None,
        }


class NewAuthorization(Authorization):
    consent_url: str | None = Field(
        description="Where to send whoever is to consent, within ten minutes. Null once they have been there."
    )


@routes.post(
    "/v1/authorizations",
    status_code=201,
    summary="Ask for consent to connect",
    responses=refuses(AuthorizationUnusable, ConnectorSettingsUnusable, UnusableURL, TooManyAuthorizations),
)
async def create_authorization(
    body: AuthorizationCreate, caller: WebhookWriter, once: Idempotency, tx: Tx, now: Now, services: ServicesOf
) -> NewAuthorization:
    """Open its `consent_url` in a browser. Once granted, which reading it shows some seconds after somebody consented,
    its id makes an endpoint, or lets one in again.
    """
    authorization_id = once.id or once.keep(
        await begin_authorization(
            tx, services.vault, caller.workspace_id, kind=body.kind, settings=body.settings,
            redirect_url=f"{services.settings.public_address}{CALLBACK}", guard=services.guard, now=now,
        )
    )  # fmt: skip
    return await _new(tx, services, caller.workspace_id, authorization_id, now=now)


@routes.get(
    "/v1/authorizations/{authorization_id}",
    summary="Read whether consent was given",
    responses=refuses(AuthorizationNotFound),
)
async def get_authorization(
    authorization_id: AuthorizationId, caller: WebhookReader, tx: ReadTx, now: Now
) -> Authorization:
    row = await find(tx, caller.workspace_id, authorization_id)
    return Authorization(**Authorization.fields_of(row, now=now))


async def _new(
    tx: Tx, services: Services, workspace_id: UUID, authorization_id: UUID, *, now: datetime
) -> NewAuthorization:
    row = await find(tx, workspace_id, authorization_id)
    consent_url = consent_url_of(services.vault, row)
    return NewAuthorization(**Authorization.fields_of(row, now=now), consent_url=consent_url)
