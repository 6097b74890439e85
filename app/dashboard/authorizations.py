"""Letting a connector in again: at its service, by somebody who may say so there, and then here."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.authorizations import Authorization
from app.api.dependencies import Now, ReadTx, ServicesOf, Tx
from app.api.public.oauth_callback import CALLBACK
from app.api.schemas import AuthorizationId, EndpointId
from app.api.webhook_models import endpoint_of
from app.dashboard.forms import read_form
from app.dashboard.headers import PRIVATE
from app.dashboard.places import authorize_path, endpoint_path
from app.dashboard.refusals import PageNotFound
from app.dashboard.shell import done, page
from app.dashboard.visitors import WebhookOperator
from app.db import engine as database
from app.domain.connectors.catalogue import can_be_let_in, settings_to_ask_with
from app.domain.ids import parsed, shown
from app.operations.authorizations import begin_authorization, consent_url_of
from app.operations.connectors import change_any_endpoint
from app.queries.authorizations import get_authorization
from app.queries.webhook_endpoints import get_endpoint

APP = ("client_id", "client_secret")


async def show_authorize(
    request: Request,
    endpoint_id: EndpointId,
    visitor: WebhookOperator,
    tx: ReadTx,
    now: Now,
    services: ServicesOf,
    authorization: AuthorizationId | None = None,
) -> Response:
    workspace_id = visitor.caller.workspace_id
    endpoint = endpoint_of(await _connector(tx, workspace_id, endpoint_id, now=now))
    begun, consent_url = None, None
    if authorization is not None:
        row = await get_authorization(tx, workspace_id, authorization)
        if row["kind"] != endpoint.kind:
            raise PageNotFound
        begun = Authorization(**Authorization.fields_of(row, now=now))
        consent_url = consent_url_of(services.vault, row)
    return page(
        request, "authorize.html", endpoint=endpoint, begun=begun, consent_url=consent_url,
        redirect_url=f"{services.settings.public_address}{CALLBACK}",
    )  # fmt: skip


async def ask(
    request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx, now: Now, services: ServicesOf
) -> Response:
    workspace_id, form = visitor.caller.workspace_id, await read_form(request)
    row = await _connector(tx, workspace_id, endpoint_id, now=now)
    said = {name: form[name].strip() for name in APP if form.get(name, "").strip()}
    begun = await begin_authorization(
        tx, services.vault, workspace_id, kind=row["kind"],
        settings=settings_to_ask_with(row["kind"], {**row["settings"], **said}),
        redirect_url=f"{services.settings.public_address}{CALLBACK}", guard=services.guard, now=now,
    )  # fmt: skip
    query = urlencode({"authorization": shown("authorization", begun)})
    return RedirectResponse(f"{authorize_path(endpoint_id)}?{query}", 303, PRIVATE)


async def use(
    request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx, now: Now, services: ServicesOf
) -> Response:
    authorization_id = parsed("authorization", (await read_form(request)).get("authorization", ""))
    if authorization_id is None:
        raise PageNotFound
    place, changes = (visitor.caller.workspace_id, endpoint_id), {"authorization_id": authorization_id}
    await change_any_endpoint(tx, services.vault, *place, changes, guard=services.guard, now=now)
    return done(request, endpoint_path(endpoint_id), "let_in")


async def _connector(
    tx: ReadTx | Tx | database.Tx, workspace_id: UUID, endpoint_id: UUID, *, now: Now
) -> Mapping[str, Any]:
    row = await get_endpoint(tx, workspace_id, endpoint_id, now=now)
    if not can_be_let_in(row["kind"]):
        raise PageNotFound
    return row
