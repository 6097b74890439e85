"""Endpoints with their health and what may be shown of their secrets; none that was deleted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from app.db.engine import ReadTx, Tx
from app.db.tables import endpoint_secrets, webhook_endpoints
from app.domain.webhooks.webhook_endpoint import WebhookEndpointDisabled, WebhookEndpointNotFound
from app.queries.endpoint_health import health_of
from app.queries.pages import Page, Slice, paged


async def list_endpoints(tx: ReadTx, workspace_id: UUID, page: Page, *, now: datetime) -> Slice[dict[str, Any]]:
    found = await paged(tx, _endpoints(workspace_id), webhook_endpoints, page)
    rows = await _with_state(tx, workspace_id, [dict(row) for row in found.rows], now=now)
    return Slice(rows, next_after=found.next_after, next_change=found.next_change)


async def get_endpoint(tx: ReadTx | Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> dict[str, Any]:
    """With its health, and what may be shown of its secrets, newest first. Raises WebhookEndpointNotFound."""
    row = await _get(tx, _endpoints(workspace_id).where(webhook_endpoints.c.id == endpoint_id))
    return (await _with_state(tx, workspace_id, [row], now=now))[0]


async def get_secret(tx: ReadTx | Tx, workspace_id: UUID, endpoint_id: UUID, secret_id: UUID) -> dict[str, Any]:
    """What may be shown of one that was made for this endpoint, also when it has expired."""
    kept = endpoint_secrets.c
    query = select(*_SHOWN).where(
        kept.workspace_id == workspace_id, kept.endpoint_id == endpoint_id, kept.id == secret_id
    )
    return dict((await tx.execute(query)).mappings().one())


async def find_connector(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, *, kind: str) -> dict[str, Any] | None:
    kept = webhook_endpoints.c
    query = _endpoints(workspace_id).where(kept.id == endpoint_id, kept.kind == kind)
    row = (await tx.execute(query)).mappings().one_or_none()
    return dict(row) if row else None


async def lock_endpoint(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> dict[str, Any]:
    """Raises WebhookEndpointNotFound."""
    query = _endpoints(workspace_id).where(webhook_endpoints.c.id == endpoint_id)
    return await _get(tx, query.with_for_update())


async def lock_enabled_endpoint(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> dict[str, Any]:
    """Raises WebhookEndpointNotFound, WebhookEndpointDisabled."""
    endpoint = await lock_endpoint(tx, workspace_id, endpoint_id)
    if endpoint["disabled_at"] is not None:
        raise WebhookEndpointDisabled("Enable the endpoint first; nothing is sent to it at the moment.")
    return endpoint


async def _get(tx: ReadTx | Tx, query: Select[Any]) -> dict[str, Any]:
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise WebhookEndpointNotFound("There is no webhook endpoint with this id.")
    return dict(row)


def _endpoints(workspace_id: UUID) -> Select[Any]:
    kept = webhook_endpoints.c
    return select(webhook_endpoints).where(kept.workspace_id == workspace_id, kept.deleted_at.is_(None))


async def _with_state(
    tx: ReadTx | Tx, workspace_id: UUID, rows: Sequence[dict[str, Any]], *, now: datetime
) -> list[dict[str, Any]]:
    kept = endpoint_secrets.c
    query = (
        select(*_SHOWN)
        .where(kept.workspace_id == workspace_id, kept.endpoint_id.in_([row["id"] for row in rows]))
        .where(or_(kept.expires_at.is_(None), kept.expires_at > now))
        .order_by(kept.id.desc())
    )
    secrets = (await tx.execute(query)).mappings().all()
    health = await health_of(tx, workspace_id, [row["id"] for row in rows])
    return [
        {
            **row,
            "secrets": [dict(one) for one in secrets if one["endpoint_id"] == row["id"]],
            "health": health[row["id"]],
        }
        for row in rows
    ]


_SHOWN = tuple(endpoint_secrets.c[name] for name in ("endpoint_id", "id", "hint", "created_at", "expires_at"))
