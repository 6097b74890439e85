"""What the API does to recipients: the same as everybody else, and it is announced."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, update

from app.db.engine import Tx
from app.db.tables import recipients
from app.domain.events import Event, EventType
from app.domain.people.recipient import RecipientInput
from app.domain.people.recipient_body import recipient_body
from app.domain.people.upserted import Change, Upserted
from app.operations.events import announce
from app.operations.recipients import Outcome, upsert_recipients
from app.operations.suppressions import take_back_suppressions
from app.queries.recipients import get_recipient, read_recipients

ANNOUNCED_AS = {Change.CREATED: EventType.RECIPIENT_CREATED, Change.UPDATED: EventType.RECIPIENT_UPDATED}


async def save_recipients(
    tx: Tx, workspace_id: UUID, said: Sequence[RecipientInput], *, now: datetime, hmac_key: bytes
) -> list[Outcome]:
    """Like `upsert_recipients`, with one event for each person that is new or different."""
    outcomes = await upsert_recipients(tx, said, now=now, hmac_key=hmac_key)
    await announce_saved(tx, workspace_id, outcomes, now=now)
    return outcomes


async def announce_saved(tx: Tx, workspace_id: UUID, outcomes: Iterable[Outcome], *, now: datetime) -> None:
    """One event for each person of the workspace that is new or different."""
    changes: dict[UUID, Change] = {}
    for outcome in outcomes:
        if isinstance(outcome, Upserted) and outcome.change is not Change.UNCHANGED:
            changes.setdefault(outcome.id, outcome.change)  # created stays created, whatever later rows add
    if changes:
        rows = await read_recipients(tx, workspace_id, list(changes))
        await announce(tx, workspace_id, [_event(ANNOUNCED_AS[changes[row["id"]]], row, now) for row in rows])


async def unsubscribe_recipient(tx: Tx, workspace_id: UUID, recipient_id: UUID, *, now: datetime) -> None:
    """Nobody asks them again, through any channel. Once is enough. Raises RecipientNotFound."""
    unsubscribed = await tx.execute(
        update(recipients)
        .where(
            recipients.c.workspace_id == workspace_id,
            recipients.c.id == recipient_id,
            recipients.c.deleted_at.is_(None),
            recipients.c.unsubscribed_at.is_(None),
        )
        .values(
            unsubscribed_at=now,
            updated_at=now,
            revision=recipients.c.revision + 1,
            changed_in=func.pg_current_xact_id(),
        )
    )
    row = await get_recipient(tx, workspace_id, recipient_id)
    if unsubscribed.rowcount:
        await announce(tx, workspace_id, [_event(EventType.RECIPIENT_UNSUBSCRIBED, row, now)])


async def resubscribe_recipient(
    tx: Tx, workspace_id: UUID, recipient_id: UUID, *, unsubscribed_at: datetime, now: datetime
) -> None:
    """Takes back the refusal of that very instant, which was a mistake, and no other."""
    resubscribed = await tx.execute(
        update(recipients)
        .where(
            recipients.c.workspace_id == workspace_id,
            recipients.c.id == recipient_id,
            recipients.c.unsubscribed_at == unsubscribed_at,
        )
        .values(
            unsubscribed_at=None,
            updated_at=now,
            revision=recipients.c.revision + 1,
            changed_in=func.pg_current_xact_id(),
        )
    )
    if resubscribed.rowcount:
        await take_back_suppressions(tx, workspace_id, unsubscribed_at=unsubscribed_at)
        row = await get_recipient(tx, workspace_id, recipient_id)
        await announce(tx, workspace_id, [_event(EventType.RECIPIENT_UPDATED, row, now)])


def _event(kind: EventType, row: Mapping[Any, Any], now: datetime) -> Event:
    body = {"recipient": recipient_body(row)}
    return Event(kind, body, now, revision=row["revision"], recipient_id=row["id"])
