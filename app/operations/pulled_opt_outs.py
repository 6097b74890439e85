"""Who opted out in one service, and was pulled from there, is told to the others that are to know.

An import announces no people. These events go to connectors that were asked to tell of opt-outs, and to nobody else;
not to where it was read. It ends there: whoever is unsubscribed here already is not told of again.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.errors import DomainError
from app.domain.events import Event, EventType
from app.domain.people.recipient import RecipientInput
from app.domain.people.recipient_body import recipient_body
from app.domain.people.upserted import Change, Upserted
from app.operations.events import announce
from app.queries.recipients import read_recipients


async def pass_on_opt_outs(
    tx: Tx,
    workspace_id: UUID,
    said: Sequence[RecipientInput],
    outcomes: Sequence[Upserted | DomainError],
    *,
    read_from: UUID,
    now: datetime,
) -> None:
    """`read_from`: the endpoint whose pull it was. Who was unsubscribed before keeps the instant of then."""
    opted_out_at = {
        outcome.id: row.given["unsubscribed_at"]
        for row, outcome in zip(said, outcomes, strict=True)
        if isinstance(outcome, Upserted) and outcome.change is not Change.UNCHANGED and row.given.get("unsubscribed_at")
    }
    listeners = [row["id"] for row in await fetch(tx, _LISTENERS, workspace_id, read_from)] if opted_out_at else []
    if not listeners:
        return
    people = await read_recipients(tx, workspace_id, list(opted_out_at))
    events = [
        Event(
            EventType.RECIPIENT_UNSUBSCRIBED, {"recipient": recipient_body(one)}, now,
            revision=one["revision"], recipient_id=one["id"], endpoint_id=listener,
        )
        for one in people
        if one["unsubscribed_at"] == opted_out_at[one["id"]]
        for listener in listeners
    ]  # fmt: skip
    await announce(tx, workspace_id, events)


_LISTENERS = """
    SELECT id FROM webhook_endpoints
    WHERE workspace_id = $1 AND id <> $2 AND kind <> 'webhook' AND event_types @> ARRAY['recipient.unsubscribed']
        AND disabled_at IS NULL AND deleted_at IS NULL
"""
