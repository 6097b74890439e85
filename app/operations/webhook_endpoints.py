"""Endpoints come, change, rest and go. What they had pending rests with them, and is cancelled when they go."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.db.tables import campaigns, endpoint_work, webhook_endpoints
from app.db.vault import Vault
from app.domain.events import Event, EventType
from app.domain.ids import shown
from app.domain.people.properties import are_the_same
from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.payload import instant_text
from app.domain.webhooks.receiver_url import UnusableURL, check_receiver_url, origin_of
from app.domain.webhooks.replay import missed_while_disabled
from app.domain.webhooks.sealed_options import not_given_again
from app.domain.webhooks.template_trial import check_template
from app.domain.webhooks.webhook_endpoint import (
    MOST_ENDPOINTS,
    DisabledReason,
    TooManyEndpoints,
    UnknownCampaigns,
    WebhookEndpointNotFound,
    check_score_range,
    check_secrets_given_again,
)
from app.operations.deliveries.cancel import cancel_deliveries_of
from app.operations.deliveries.claim import DueEndpoint
from app.operations.deliveries.health import forget_health
from app.operations.deliveries.replay import start_replay
from app.operations.deliveries.settle import wake_endpoints
from app.operations.endpoint_secrets import destroy_secrets
from app.operations.events import announce
from app.operations.notices import notify
from app.operations.sealed_options import with_options_sealed
from app.queries.webhook_endpoints import lock_enabled_endpoint, lock_endpoint


async def create_endpoint(
    tx: Tx, workspace_id: UUID, fields: Mapping[str, Any], *, guard: Guard, vault: Vault, now: datetime
) -> UUID:
    """Raises UnusableURL, ScoreRangeEmpty, UnknownCampaigns, TemplateRefused, HeaderRefused, TooManyEndpoints."""
    await _check(tx, workspace_id, fields, guard=guard)
    await _check_there_is_room(tx, workspace_id)
    endpoint_id = new_id(now)
    columns = with_options_sealed(fields, vault=vault, workspace_id=workspace_id, endpoint_id=endpoint_id, sealed=None)
    await tx.execute(
        insert(webhook_endpoints).values(
            workspace_id=workspace_id,
            id=endpoint_id,
            created_at=now,
            updated_at=now,
            **{**columns, "delay_seconds": fields["delay_seconds"] or 0},
        )
    )
    return endpoint_id


async def change_endpoint(
    tx: Tx,
    workspace_id: UUID,
    endpoint_id: UUID,
    changes: Mapping[str, Any],
    *,
    guard: Guard,
    vault: Vault,
    now: datetime,
) -> None:
    """Concerns what is sent from now on, pending deliveries too. Raises as `create_endpoint` does, if unknown, and
    SecretsNeededAgain.
    """
    before = await lock_endpoint(tx, workspace_id, endpoint_id)
    if "url" in changes and origin_of(changes["url"] or "") != origin_of(before["url"]):
        check_secrets_given_again(not_given_again(before["header_hints"], before["delighted_key_hint"], changes))
    changes = with_options_sealed(
        changes, vault=vault, workspace_id=workspace_id, endpoint_id=endpoint_id, sealed=before["sealed_options"]
    )
    if all(_are_the_same(before[name], value) for name, value in changes.items()):
        return
    await _check(tx, workspace_id, {**before, **changes}, guard=guard)
    if changes.get("url", before["url"]) != before["url"]:
        await forget_health(tx, workspace_id, endpoint_id)
    await _write(tx, workspace_id, endpoint_id, changes, now=now)


def _are_the_same(one: Any, other: Any) -> bool:
    is_json = isinstance(other, Mapping)
    return are_the_same(one, other) if is_json else bool(one == other)


async def disable_endpoint(
    tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, reason: DisabledReason, now: datetime
) -> None:
    """Pending deliveries wait until it is enabled again. Disabling twice changes nothing. Raises if unknown."""
    before = await lock_endpoint(tx, workspace_id, endpoint_id)
    if before["disabled_at"] is not None:
        return
    await _write(tx, workspace_id, endpoint_id, {"disabled_at": now, "disabled_reason": reason.value}, now=now)
    await _forget_work(tx, workspace_id, endpoint_id)
    body = {"endpoint": announced(before) | {"disabled_at": instant_text(now), "disabled_reason": reason.value}}
    await announce(tx, workspace_id, [Event(EventType.ENDPOINT_DISABLED, body, now, revision=before["revision"] + 1)])
    if reason is not DisabledReason.REQUESTED:
        text = _DISABLED.format(name=before["description"] or shown("endpoint", endpoint_id), reason=reason.value)
        await notify(tx, workspace_id, subject="a webhook endpoint was disabled", text=text, now=now)


_DISABLED = """The endpoint {name} was disabled (reason: {reason}), and gets nothing more.

What it misses can be delivered once it is enabled again, for 30 days: /dashboard/webhooks.
"""


async def disable_gone_endpoint(tx: Tx, asked: DueEndpoint, *, reason: DisabledReason, now: datetime) -> bool:
    """After a 410, or what means the same; not if it was told meanwhile to ask elsewhere or otherwise.

    Says whether nothing more is sent to it. It may have been deleted, which is as good.
    """
    try:
        endpoint = await lock_endpoint(tx, asked.workspace_id, asked.id)
    except WebhookEndpointNotFound:
        return True
    if any(endpoint[name] != getattr(asked, name) for name in ("url", "credentials", "sealed_options")):
        return False
    if endpoint["settings"] != json.loads(asked.settings):
        return False
    await disable_endpoint(tx, asked.workspace_id, asked.id, reason=reason, now=now)
    return True


class Enabled(NamedTuple):
    was_enabled: bool  # before, so that nothing changed
    replay_id: UUID | None  # of what was missed, if that was wanted


async def enable_endpoint(
    tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime, deliver_missed: bool = False
) -> Enabled:
    """What was pending goes on where it stood. Raises WebhookEndpointNotFound."""
    before = await lock_endpoint(tx, workspace_id, endpoint_id)
    if before["disabled_at"] is None:
        return Enabled(was_enabled=True, replay_id=None)
    await _write(tx, workspace_id, endpoint_id, {"disabled_at": None, "disabled_reason": None}, now=now)
    failing_since = await forget_health(tx, workspace_id, endpoint_id)
    missed = missed_while_disabled(before["disabled_at"], failing_since, now=now)
    replay_id = await start_replay(tx, workspace_id, endpoint_id, missed, now=now) if deliver_missed else None
    await wake_endpoints(tx, {endpoint_id: workspace_id})
    return Enabled(was_enabled=False, replay_id=replay_id)


async def delete_endpoint(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> None:
    """Its log stays. Of many pending deliveries, the first are cancelled now and a sweep goes on. Raises if unknown."""
    await lock_endpoint(tx, workspace_id, endpoint_id)
    await _write(tx, workspace_id, endpoint_id, _BURIED | {"deleted_at": now}, now=now)
    await destroy_secrets(tx, workspace_id, endpoint_id)
    await forget_health(tx, workspace_id, endpoint_id)
    await cancel_deliveries_of(tx, workspace_id, endpoint_id)
    await fetch(tx, "DELETE FROM pulls WHERE workspace_id = $1 AND endpoint_id = $2", workspace_id, endpoint_id)
    await fetch(tx, "DELETE FROM accesses WHERE workspace_id = $1 AND id = $2", workspace_id, endpoint_id)
    await _forget_work(tx, workspace_id, endpoint_id)


async def send_test(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> UUID:
    """The id of an event for this endpoint alone. Raises WebhookEndpointNotFound, WebhookEndpointDisabled."""
    endpoint = await lock_enabled_endpoint(tx, workspace_id, endpoint_id)
    event = Event(EventType.ENDPOINT_TEST, {"endpoint": announced(endpoint)}, now, endpoint_id=endpoint_id)
    return (await announce(tx, workspace_id, [event]))[0]


# URLs may carry a token.
_BURIED: dict[str, Any] = {
    "url": "",
    "settings": {},
    "credentials": None,
    "sealed_options": None,
    "header_hints": {},
    "delighted_key_hint": None,
    "template": None,  # may name what is private to its author
}


def announced(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Without its URL: others may listen, and many URLs carry a token."""
    return {"id": shown("endpoint", endpoint["id"]), "description": endpoint["description"]}


async def _check(tx: Tx, workspace_id: UUID, fields: Mapping[str, Any], *, guard: Guard) -> None:
    if fields["url"] is None:
        raise UnusableURL("A webhook needs a URL to send to.", pointer="/url")
    check_receiver_url(fields["url"], guard=guard)
    check_score_range(fields["lowest_score"], fields["highest_score"])
    if fields["template"] is not None:
        content_type, event_types = fields["template_content_type"], fields["event_types"]
        check_template(fields["template"], content_type=content_type, event_types=event_types)
    await _check_campaigns(tx, workspace_id, fields["campaign_ids"])


async def _check_campaigns(tx: Tx, workspace_id: UUID, campaign_ids: Collection[UUID]) -> None:
    if not campaign_ids:
        return
    known = select(campaigns.c.id).where(campaigns.c.workspace_id == workspace_id, campaigns.c.id.in_(campaign_ids))
    unknown = set(campaign_ids) - set((await tx.execute(known)).scalars())
    if unknown:
        names = ", ".join(sorted(shown("campaign", one) for one in unknown))
        raise UnknownCampaigns(f"There are no such campaigns: {names}.", pointer="/campaign_ids")


async def _check_there_is_room(tx: Tx, workspace_id: UUID) -> None:
    kept = webhook_endpoints.c
    count = select(func.count()).where(kept.workspace_id == workspace_id, kept.deleted_at.is_(None))
    if (await tx.execute(count)).scalar_one() >= MOST_ENDPOINTS:
        raise TooManyEndpoints(f"A workspace has at most {MOST_ENDPOINTS} webhook endpoints; delete one first.")


async def _write(tx: Tx, workspace_id: UUID, endpoint_id: UUID, values: Mapping[str, Any], *, now: datetime) -> None:
    kept = webhook_endpoints.c
    await tx.execute(
        update(webhook_endpoints)
        .where(kept.workspace_id == workspace_id, kept.id == endpoint_id)
        .values(updated_at=now, revision=kept.revision + 1, changed_in=func.pg_current_xact_id(), **values)
    )


async def _forget_work(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> None:
    kept = endpoint_work.c
    await tx.execute(delete(endpoint_work).where(kept.workspace_id == workspace_id, kept.endpoint_id == endpoint_id))
