"""The one shape in which an event leaves: as the body of a webhook, and as an entry of the feed."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.ids import shown


def payload(
    event_id: UUID,
    *,
    type: str,  # noqa: A002 - its name in the payload
    occurred_at: datetime,
    schema_version: int,
    livemode: bool,
    workspace_id: UUID,
    data: Any,
) -> dict[str, Any]:
    return {
        "id": shown("event", event_id),
        "type": type,
        "timestamp": instant_text(occurred_at),
        "schema_version": schema_version,
        "livemode": livemode,
        "workspace_id": shown("workspace", workspace_id),
        "data": data,
    }


def rendered(payload: dict[str, Any]) -> bytes:
    """`data` is JSON text here, and goes out exactly as it is stored: the same bytes at every attempt, for ever.

    Put together by hand, since nothing but `data` holds anything that JSON would have to escape.
    """
    livemode = "true" if payload["livemode"] else "false"
    return (
        f'{{"id":"{payload["id"]}","type":"{payload["type"]}","timestamp":"{payload["timestamp"]}",'
        f'"schema_version":{payload["schema_version"]},"livemode":{livemode},'
        f'"workspace_id":"{payload["workspace_id"]}","data":{payload["data"]}}}'
    ).encode()


class PayloadKind(StrEnum):
    FULL = "full"
    THIN = "thin"  # ids only, for receivers that ask us for the rest


# Of each thing an event is about. An import's or occasion's name is the caller's, and may say who it was.
KEPT_WHEN_THIN = frozenset({"id", "campaign_id", "recipient_id", "revision", "deleted"})


def thinned(data: str) -> str:
    """JSON text in, JSON text out: what things the event is about, and nothing about any person."""
    things = {name: thing for name, thing in json.loads(data).items() if isinstance(thing, dict)}
    kept = {name: {key: thing[key] for key in thing if key in KEPT_WHEN_THIN} for name, thing in things.items()}
    return json.dumps({name: thing for name, thing in kept.items() if thing}, separators=(",", ":"))


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds, as PostgreSQL writes the instants inside `data`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
