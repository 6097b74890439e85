"""The one shape in which an event leaves: as the body of a webhook, and as an entry of the feed."""

import json
from datetime import UTC, datetime
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
    """`data` is JSON text here, and goes out exactly as it is stored: the same bytes at every attempt, for ever."""
    *envelope, (_, data) = payload.items()
    return f'{_compact(dict(envelope))[:-1]},"data":{data}}}'.encode()


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds, as PostgreSQL writes the instants inside `data`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
