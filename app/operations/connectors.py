"""Endpoints that are connectors: their settings, of which what is secret is sealed and never shown again."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.db.engine import Tx
from app.db.tables import webhook_endpoints
from app.db.vault import Vault
from app.domain.connectors.catalogue import CONNECTORS, EndpointKind, connector_of, event_types_for
from app.domain.connectors.protocol import Connector
from app.domain.connectors.settings import ConnectorSettingsUnusable, secret_names, settings_apart
from app.domain.events import Event, EventType
from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.receiver_url import UnusableURL
from app.domain.webhooks.webhook_endpoint import NothingToCheck, check_fields_of_connector, check_secrets_given_again
from app.operations.authorizations import use_authorization
from app.operations.events import announce
from app.operations.pulls import pull_again, pull_everybody
from app.operations.remote_records import forget_records_of
from app.operations.renewed_connectors import try_renewed
from app.operations.webhook_endpoints import announced, change_endpoint, create_endpoint
from app.queries.webhook_endpoints import lock_enabled_endpoint, lock_endpoint


async def create_connector(
    tx: Tx,
    vault: Vault,
    workspace_id: UUID,
    fields: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    authorization_id: UUID | None = None,
    guard: Guard,
    now: datetime,
) -> UUID:
    """Raises as `create_endpoint` does, ConnectorSettingsUnusable, NotForConnectors, AuthorizationUnusable."""
    if fields["url"] is not None:
        raise UnusableURL("A connector finds in its settings where to send.", pointer="/url")
    check_fields_of_connector(fields)
    if authorization_id is not None:
        place = workspace_id, authorization_id
        settings = await _granted(tx, vault, *place, kind=fields["kind"], settings=settings, now=now)
    connector = connector_of(fields["kind"], settings)
    filled = _with_its_own(connector, fields)
    endpoint_id = await create_endpoint(tx, workspace_id, filled, guard=guard, vault=vault, now=now)
    kept, columns = webhook_endpoints.c, _columns(vault, workspace_id, endpoint_id, connector)
    mine = kept.workspace_id == workspace_id, kept.id == endpoint_id
    await tx.execute(update(webhook_endpoints).where(*mine).values(columns))
    await send_check(tx, workspace_id, endpoint_id, now=now)
    return endpoint_id


def _with_its_own(connector: Connector, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the connector knows better, and what it brings where nothing was said."""
    usual = {"delay_seconds": connector.delay_seconds, "rate_limit_per_second": connector.per_second}
    unsaid = {name: value for name, value in usual.items() if fields[name] is None}
    event_types = event_types_for(connector.kind, fields["event_types"])
    return {**fields, **unsaid, "url": connector.origin, "event_types": event_types}


async def change_any_endpoint(
    tx: Tx,
    vault: Vault,
    workspace_id: UUID,
    endpoint_id: UUID,
    changes: Mapping[str, Any],
    *,
    guard: Guard,
    now: datetime,
) -> None:
    """A webhook or a connector. Raises as `create_connector` does, and if unknown."""
    before = await lock_endpoint(tx, workspace_id, endpoint_id)
    rest = {name: value for name, value in changes.items() if name not in {"settings", "authorization_id"}}
    if before["kind"] != EndpointKind.WEBHOOK:
        rest |= await _change_connector(tx, vault, before, changes, now=now)
    else:
        check_no_settings(changes.get("settings"), changes.get("authorization_id"))
    await change_endpoint(tx, workspace_id, endpoint_id, rest, guard=guard, vault=vault, now=now)


def check_no_settings(settings: Mapping[str, Any] | None, authorization_id: UUID | None) -> None:
    """Raises ConnectorSettingsUnusable."""
    if settings:
        raise ConnectorSettingsUnusable("A webhook has no settings.", pointer="/settings")
    if authorization_id is not None:
        raise ConnectorSettingsUnusable("A webhook takes no authorization.", pointer="/authorization_id")


async def check_connector(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> UUID:
    """The id of that event. Raises WebhookEndpointNotFound, WebhookEndpointDisabled, NothingToCheck."""
    endpoint = await lock_enabled_endpoint(tx, workspace_id, endpoint_id)
    if endpoint["kind"] == EndpointKind.WEBHOOK:
        raise NothingToCheck("A webhook has no credentials; send it a test.")
    return await send_check(tx, workspace_id, endpoint_id, now=now)


async def send_check(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> UUID:
    """The id of an event at which the connector asks its service whether it would be let in."""
    endpoint = await lock_endpoint(tx, workspace_id, endpoint_id)
    body = {"endpoint": announced(endpoint), "is_check": True}
    event = Event(EventType.ENDPOINT_TEST, body, now, endpoint_id=endpoint_id)
    return (await announce(tx, workspace_id, [event]))[0]


async def _change_connector(
    tx: Tx, vault: Vault, before: Mapping[str, Any], changes: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """What changes with the settings. A setting that is left out stays, null clears it."""
    if "url" in changes:
        raise UnusableURL("A connector finds in its settings where to send.", pointer="/url")
    check_fields_of_connector(changes)
    told: dict[str, Any] = {}
    if changes.get("event_types") is not None:
        told["event_types"] = event_types_for(before["kind"], changes["event_types"])
    given: Mapping[str, Any] = changes.get("settings") or {}
    if (authorization_id := changes.get("authorization_id")) is not None:
        place = before["workspace_id"], authorization_id
        granted = await _granted(tx, vault, *place, kind=before["kind"], settings=given, now=now)
        given = dict.fromkeys(secret_names(CONNECTORS[before["kind"]])) | granted
    if not given:
        return told
    known = _opened(vault, before)
    connector = connector_of(before["kind"], {**known, **given})
    await _mind_another_account(tx, before, connector, known=known, given=given)
    await pull_again(tx, before["workspace_id"], before["id"], now=now)
    check_id = await send_check(tx, before["workspace_id"], before["id"], now=now)
    await try_renewed(tx, before, check_id, now=now)
    return told | _columns(vault, before["workspace_id"], before["id"], connector)


async def _granted(
    tx: Tx,
    vault: Vault,
    workspace_id: UUID,
    authorization_id: UUID,
    *,
    kind: str,
    settings: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """What somebody granted, with what is said beside it, which cannot be where it goes or whose it is."""
    granted = await use_authorization(tx, vault, workspace_id, authorization_id, kind=kind, now=now)
    if twice := sorted(granted.keys() & settings.keys()):
        raise ConnectorSettingsUnusable("Leave this out: the authorization brings it.", pointer=f"/settings/{twice[0]}")
    return {**granted, **settings}


async def _mind_another_account(
    tx: Tx, before: Mapping[str, Any], connector: Connector, *, known: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """Ids of one account mean nothing in another, or something else. Raises SecretsNeededAgain."""
    kept = {name: known[name] for name in secret_names(type(connector)) if known.get(name) is not None}
    is_elsewhere = connector.origins != connector_of(connector.kind, known).origins
    if is_elsewhere:
        check_secrets_given_again([f"/settings/{name}" for name in sorted(set(kept) - set(given))])
    if is_elsewhere or any(getattr(connector, name) != value for name, value in kept.items()):
        await forget_records_of(tx, before["workspace_id"], before["id"])
        await pull_everybody(tx, before["workspace_id"], before["id"])


def _opened(vault: Vault, row: Mapping[str, Any]) -> dict[str, Any]:
    opened = vault.open(row["credentials"], workspace_id=row["workspace_id"], row_id=row["id"])
    return {**row["settings"], **json.loads(opened)}


def _columns(vault: Vault, workspace_id: UUID, endpoint_id: UUID, connector: Connector) -> dict[str, Any]:
    public, secret = settings_apart(connector)
    return {
        "url": connector.origin,
        "settings": public,
        "credentials": vault.seal(json.dumps(secret), workspace_id=workspace_id, row_id=endpoint_id),
    }
