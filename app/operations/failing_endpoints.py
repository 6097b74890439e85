"""Endpoints to which nothing arrives: first somebody is told, day after day, in the end they are disabled."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.db.engine import Tx
from app.db.held import held
from app.db.statements import fetch
from app.domain.events import Event, EventType
from app.domain.ids import shown
from app.domain.webhooks.breaker import DISABLED_AFTER, OPENS_AFTER, WARNED_AFTER, WARNED_EVERY
from app.domain.webhooks.payload import instant_text
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.operations.events import announce
from app.operations.notices import notify
from app.operations.webhook_endpoints import disable_endpoint

AT_ONCE = 100


async def warn_of_failing_endpoints(tx: Tx, *, now: datetime) -> int:
    """One batch; says how many. Who listens elsewhere in the workspace hears of each, at most once a day."""
    due = await fetch(tx, _WARN, now, now - WARNED_AFTER, now - WARNED_EVERY, OPENS_AFTER, AT_ONCE)
    for endpoint in due:
        await announce(tx, endpoint["workspace_id"], [_failing(endpoint, now=now)])
        text = _FAILING.format(
            name=_named(endpoint), since=instant_text(endpoint["failing_since"]), failures=endpoint["failures"],
            until=instant_text(endpoint["failing_since"] + DISABLED_AFTER),
        )  # fmt: skip
        await notify(tx, endpoint["workspace_id"], subject="a webhook endpoint is failing", text=text, now=now)
    return len(due)


async def disable_failing_endpoints(tx: Tx, *, now: datetime) -> int:
    """One batch; says how many. Only those that somebody was warned of."""
    due = await held(tx, lambda: fetch(tx, _TO_DISABLE, DISABLED_AFTER, AT_ONCE), table="webhook_endpoints")
    for one in due:
        await disable_endpoint(tx, one["workspace_id"], one["id"], reason=DisabledReason.FAILING, now=now)
    return len(due)


def _named(endpoint: Mapping[str, Any]) -> str:
    return str(endpoint["description"] or shown("endpoint", endpoint["endpoint_id"]))


def _failing(endpoint: Mapping[str, Any], *, now: datetime) -> Event:
    told = {
        "id": shown("endpoint", endpoint["endpoint_id"]),
        "description": endpoint["description"],
        "failing_since": instant_text(endpoint["failing_since"]),
        "failures": endpoint["failures"],
        "last_failure": endpoint["last_failure"],
        "disabled_from": instant_text(endpoint["failing_since"] + DISABLED_AFTER),
    }
    return Event(EventType.ENDPOINT_FAILING, {"endpoint": told}, now)


_FAILING = """Nothing has arrived at the endpoint {name} since {since}.

{failures} attempts in a row failed. If nothing arrives by {until}, it will be disabled; what it missed can be
delivered again for 30 days. /dashboard/webhooks shows what came back.
"""
_WARN = """
    WITH due AS (
        SELECT h.workspace_id, h.endpoint_id, e.description
        FROM endpoint_health h
        JOIN webhook_endpoints e ON e.workspace_id = h.workspace_id AND e.id = h.endpoint_id
        WHERE h.failing_since <= $2 AND h.failures >= $4 AND (h.warned_at IS NULL OR h.warned_at <= $3)
            AND e.disabled_at IS NULL AND e.deleted_at IS NULL
        ORDER BY h.workspace_id, h.endpoint_id LIMIT $5 FOR UPDATE OF h SKIP LOCKED
    )
    UPDATE endpoint_health h SET warned_at = $1 FROM due
    WHERE h.workspace_id = due.workspace_id AND h.endpoint_id = due.endpoint_id
    RETURNING h.workspace_id, h.endpoint_id, h.failing_since, h.failures, h.last_failure, due.description
"""

# The last attempt counts, not the clock: of an endpoint that nothing is sent to, nobody knows whether it is down.
_TO_DISABLE = """
    SELECT h.workspace_id, h.endpoint_id AS id
    FROM endpoint_health h
    JOIN webhook_endpoints e ON e.workspace_id = h.workspace_id AND e.id = h.endpoint_id
    WHERE h.last_failed_at >= h.failing_since + $1::interval AND h.warned_at <= h.last_failed_at
        AND e.disabled_at IS NULL AND e.deleted_at IS NULL
    ORDER BY h.workspace_id, h.endpoint_id LIMIT $2
"""
