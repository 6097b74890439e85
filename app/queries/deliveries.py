"""Deliveries, whether still to be made or finished: to the caller they are one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from app.db.engine import ReadTx, Tx
from app.db.tables import (
    deliveries,
    delivery_attempts,
    delivery_log,
    endpoint_health,
    events,
    recipients,
    webhook_endpoints,
)
from app.db.tables.base import instant
from app.domain.ids import first_uuid_of
from app.domain.people.mailbox import one_spelling
from app.domain.webhooks.delivery import DeliveryNotFound, DeliveryState
from app.queries.pages import Page, Slice, newest_first

MOST_ATTEMPTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What is None does not filter. `since` and `until` bound the making of the delivery: [since, until)."""

    state: DeliveryState | None = None
    event_id: UUID | None = None
    endpoint_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    recipient_id: UUID | None = None  # whom the event is about
    external_id: str | None = None  # theirs
    email: str | None = None  # theirs


async def list_deliveries(tx: ReadTx, workspace_id: UUID, wanted: DeliveryFilter, page: Page) -> Slice[RowMapping]:
    """Newest first."""
    sides = [_newest(side, workspace_id, page, wanted) for side in _sides(wanted.state)]
    both = union_all(*sides).subquery()
    return await newest_first(tx, _shown(both), both, page)


async def get_delivery(tx: ReadTx | Tx, workspace_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """With its attempts, oldest first. Raises DeliveryNotFound."""
    row = await find_delivery(tx, workspace_id, delivery_id)
    if row is None:
        raise DeliveryNotFound("There is no delivery with this id.")
    return {**row, "made": await _attempts(tx, workspace_id, delivery_id)}


async def find_delivery(tx: ReadTx | Tx, workspace_id: UUID, delivery_id: UUID) -> RowMapping | None:
    """The statement sees one moment, in which a delivery is in one of the two tables."""
    sides = [
        side.where(side.selected_columns.workspace_id == workspace_id, side.selected_columns.id == delivery_id)
        for side in (_PENDING, _FINISHED)
    ]
    query = _shown(union_all(*sides).subquery())
    found: RowMapping | None = (await tx.execute(query)).mappings().one_or_none()
    return found


async def find_sent_event(tx: ReadTx, workspace_id: UUID, delivery_id: UUID) -> RowMapping | None:
    """The event with the `body` that this delivery carries. None once the event is no longer kept."""
    sides = [
        select(side.c.workspace_id, side.c.event_id, side.c.body).where(
            side.c.workspace_id == workspace_id, side.c.id == delivery_id
        )
        for side in (deliveries, delivery_log)
    ]
    sent = union_all(*sides).subquery().c
    told, body = events.c, func.coalesce(sent.body, events.c.body).label("body")
    query = select(told.id, told.type, told.occurred_at, told.schema_version, body).where(
        told.workspace_id == sent.workspace_id, told.id == sent.event_id
    )
    return (await tx.execute(query)).mappings().one_or_none()


async def _attempts(tx: ReadTx | Tx, workspace_id: UUID, delivery_id: UUID) -> Sequence[RowMapping]:
    kept = delivery_attempts.c
    query = (
        select(
            kept.number,
            kept.started_at,
            kept.duration_ms,
            kept.status,
            kept.failure,
            kept.reply_head,
            kept.request_head,
        )
        .where(kept.workspace_id == workspace_id, kept.delivery_id == delivery_id)
        .order_by(kept.started_at.desc())
        .limit(MOST_ATTEMPTS_SHOWN)
    )
    return (await tx.execute(query)).mappings().all()[::-1]


def _shown(found: Subquery) -> Select[Any]:
    """With the type of its event, None once that is no longer kept, and the earliest instant of its next attempt."""
    rest, health = webhook_endpoints.c, endpoint_health.c
    is_of_it = and_(events.c.workspace_id == found.c.workspace_id, events.c.id == found.c.event_id)
    is_for_it = and_(rest.workspace_id == found.c.workspace_id, rest.id == found.c.endpoint_id)
    is_its_health = and_(health.workspace_id == found.c.workspace_id, health.endpoint_id == found.c.endpoint_id)
    is_to_come = and_(found.c.due_at.is_not(None), rest.disabled_at.is_(None), rest.deleted_at.is_(None))
    next_attempt_at = case((is_to_come, func.greatest(found.c.due_at, health.paused_until)))
    joined = found.outerjoin(events, is_of_it).outerjoin(webhook_endpoints, is_for_it)
    return select(found, events.c.type.label("event_type"), next_attempt_at.label("next_attempt_at")).select_from(
        joined.outerjoin(endpoint_health, is_its_health)
    )


def _sides(state: DeliveryState | None) -> list[Select[Any]]:
    if state is None:
        return [_PENDING, _FINISHED]
    if state is DeliveryState.PENDING:
        return [_PENDING]
    return [_FINISHED.where(delivery_log.c.state == state.value)]


def _newest(side: Select[Any], workspace_id: UUID, page: Page, wanted: DeliveryFilter) -> Select[Any]:
    kept = side.selected_columns
    side = side.where(kept.workspace_id == workspace_id, *_conditions(kept, workspace_id, wanted))
    if page.after is not None:
        side = side.where(kept.id < page.after)
    return select(side.order_by(kept.id.desc()).limit(page.limit + 1).subquery())


def _conditions(kept: Any, workspace_id: UUID, wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    """A delivery's id begins with the time it was made, which spares an index."""
    conditions = []
    if wanted.endpoint_id is not None:
        conditions.append(kept.endpoint_id == wanted.endpoint_id)
    if wanted.event_id is not None:
        conditions.append(kept.event_id == wanted.event_id)
    if wanted.since is not None:
        conditions.append(kept.id >= first_uuid_of(wanted.since))
    if wanted.until is not None:
        conditions.append(kept.id < first_uuid_of(wanted.until))
    about = _about(workspace_id, wanted)
    return conditions if about is None else [*conditions, kept.event_id.in_(about)]


def _about(workspace_id: UUID, wanted: DeliveryFilter) -> Select[Any] | None:
    """The events about the person that is asked for."""
    person = recipients.c
    asked = {
        person.id: wanted.recipient_id,
        person.external_id: wanted.external_id,
        person.email: wanted.email and one_spelling(wanted.email),
    }
    conditions = [column == value for column, value in asked.items() if value is not None]
    if not conditions:
        return None
    people = select(person.id).where(person.workspace_id == workspace_id, *conditions)
    return select(events.c.id).where(events.c.workspace_id == workspace_id, events.c.recipient_id.in_(people))


def _side(table: Any, *, state: Any, due_at: Any, finished_at: Any) -> Select[Any]:
    kept = table.c
    return select(
        kept.workspace_id, kept.id, kept.event_id, kept.endpoint_id, state.label("state"), kept.attempts,
        due_at.label("due_at"), kept.last_status, kept.last_failure, kept.created_at, finished_at.label("finished_at"),
    )  # fmt: skip


_NEVER = cast(null(), instant)
_WAITS = case((deliveries.c.claim_id.is_(None), deliveries.c.due_at))  # of a claimed one it is the lease's end
_PENDING = _side(deliveries, state=literal(DeliveryState.PENDING.value), due_at=_WAITS, finished_at=_NEVER)
_FINISHED = _side(delivery_log, state=delivery_log.c.state, due_at=_NEVER, finished_at=delivery_log.c.finished_at)
