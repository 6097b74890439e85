"""Announcing: the event and its place in the queue are rows of the caller's transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import insert, text

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.tables import event_queue, events
from app.domain.events import Event

CHANNEL = "zeroten_events"  # a hint for workers that something waits; they poll anyway


async def announce(tx: Tx, workspace_id: UUID, announced: Sequence[Event]) -> list[UUID]:
    if not announced:
        return []
    event_ids = [new_id(event.occurred_at) for event in announced]
    rows = [_row(workspace_id, event_id, event) for event_id, event in zip(event_ids, announced, strict=True)]
    await tx.execute(insert(events), rows)
    await tx.execute(
        insert(event_queue),
        [
            {"workspace_id": workspace_id, "event_id": event_id, "endpoint_id": event.endpoint_id}
            for event_id, event in zip(event_ids, announced, strict=True)
        ],
    )
    await tx.execute(text(f"NOTIFY {CHANNEL}"))
    return event_ids


def _row(workspace_id: UUID, event_id: UUID, event: Event) -> dict[str, object]:
    row = asdict(event)
    del row["endpoint_id"]
    return {**row, "type": event.type.value, "workspace_id": workspace_id, "id": event_id}
