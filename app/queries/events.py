"""The feed: events in the order in which they were committed, as nearly as that can be told, and none left out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, Text, and_, cast, func, or_, select, text, tuple_

from app.db.engine import ReadTx
from app.db.tables import events
from app.db.tables.base import TransactionId
from app.domain.events import BAND_ALIASES, KEPT_FOR, EventNotFound, EventType
from app.queries.pages import Page, Slice

BEFORE_ANY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class EventFilter:
    types: Collection[str] = ()  # none means all; aliases of bands too
    campaign_id: UUID | None = None


class FeedPlace(NamedTuple):
    """Behind what of a workspace's feed somebody has seen."""

    workspace_id: UUID
    transaction: str
    last: UUID


async def list_events(
    tx: ReadTx, workspace_id: UUID, wanted: EventFilter, page: Page, *, now: datetime
) -> Slice[RowMapping]:
    """Those whose transaction is below the horizon: the oldest one still running.

    A page that is not full has seen everything up to there, whatever it was filtered by, so the next one starts there.
    Raises EventNotFound where it was to begin after an event that is not there, or no longer.
    """
    horizon = await _horizon(tx)
    if page.is_from_end:
        return Slice((), next_change=(horizon, BEFORE_ANY))
    behind = page.after_change
    if page.after_event is not None:
        behind = await _place_of(tx, workspace_id, page.after_event, now=now)
    stamp = cast(events.c.changed_in, Text).label("_changed_in")
    query = _filtered(_kept(workspace_id, now=now), wanted).add_columns(stamp)
    query = query.where(events.c.changed_in < cast(horizon, TransactionId))
    if behind is not None:
        query = query.where(_behind(*behind))
    rows = (await tx.execute(query.order_by(events.c.changed_in, events.c.id).limit(page.limit))).mappings().all()
    if len(rows) == page.limit:
        return Slice(rows, next_change=(rows[-1]["_changed_in"], rows[-1]["id"]))
    return Slice(rows, next_change=_later((horizon, BEFORE_ANY), behind))


async def list_latest_events(
    tx: ReadTx, workspace_id: UUID, name: str, *, limit: int, now: datetime
) -> Sequence[RowMapping]:
    """The newest first, of the last thousand of any type: a type that hardly ever happens must not be searched for."""
    lately = select(events.c.id).where(events.c.workspace_id == workspace_id).order_by(events.c.id.desc()).limit(1_000)
    query = _filtered(_kept(workspace_id, now=now).where(events.c.id.in_(lately)), EventFilter((name,)))
    found: Sequence[RowMapping] = (await tx.execute(query.order_by(events.c.id.desc()).limit(limit))).mappings().all()
    return found


async def places_with_news(tx: ReadTx, places: Sequence[FeedPlace]) -> list[int]:
    """Their numbers in `places`. What is new may still be filtered out by whoever looks."""
    workspaces, transactions, lasts = zip(*places, strict=True)
    found = await tx.execute(
        _PLACES_WITH_NEWS,
        {"workspaces": list(workspaces), "transactions": list(transactions), "lasts": list(lasts)},
    )
    return list(found.scalars())


_PLACES_WITH_NEWS = text("""
    SELECT CAST(place.number - 1 AS int)
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:transactions AS text[]), CAST(:lasts AS uuid[]))
        WITH ORDINALITY AS place (workspace_id, changed_in, id, number)
    WHERE EXISTS (
        SELECT FROM events e
        WHERE e.workspace_id = place.workspace_id
            AND (e.changed_in, e.id) > (CAST(place.changed_in AS xid8), place.id)
            AND e.changed_in < pg_snapshot_xmin(pg_current_snapshot())
    )
""")


async def get_event(tx: ReadTx, workspace_id: UUID, event_id: UUID, *, now: datetime) -> RowMapping:
    """Raises EventNotFound."""
    query = _kept(workspace_id, now=now).where(events.c.id == event_id)
    row: RowMapping | None = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise EventNotFound("There is no event with this id; events are kept for 30 days.")
    return row


async def _place_of(tx: ReadTx, workspace_id: UUID, event_id: UUID, *, now: datetime) -> tuple[str, UUID]:
    query = _kept(workspace_id, now=now).where(events.c.id == event_id)
    stamp = await tx.scalar(query.with_only_columns(cast(events.c.changed_in, Text)))
    if stamp is None:
        raise EventNotFound(
            "There is no event with this id to begin after. Events are kept for 30 days; what followed it may be gone"
            " as well. Leave `after` out to begin with the oldest that are kept."
        )
    return str(stamp), event_id


async def _horizon(tx: ReadTx) -> str:
    query = select(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text))
    return str((await tx.execute(query)).scalar_one())


def _kept(workspace_id: UUID, *, now: datetime) -> Select[Any]:
    return select(events).where(events.c.workspace_id == workspace_id, events.c.created_at > now - KEPT_FOR)


def _filtered(query: Select[Any], wanted: EventFilter) -> Select[Any]:
    if wanted.campaign_id is not None:
        query = query.where(events.c.campaign_id == wanted.campaign_id)
    if wanted.types:
        bands = [BAND_ALIASES[name] for name in wanted.types if name in BAND_ALIASES]
        query = query.where(or_(events.c.type.in_(wanted.types), _concerns(bands)))
    return query


def _concerns(bands: Collection[str]) -> ColumnElement[bool]:
    """The same as in the filter of webhook endpoints."""
    arrived = and_(
        events.c.type.in_([EventType.RESPONSE_CREATED, EventType.RESPONSE_BAND_CHANGED]), events.c.band.in_(bands)
    )
    left = and_(events.c.type == EventType.RESPONSE_BAND_CHANGED, events.c.previous_band.in_(bands))
    return or_(arrived, left)


def _behind(transaction: str, last: UUID) -> ColumnElement[bool]:
    return tuple_(events.c.changed_in, events.c.id) > tuple_(cast(transaction, TransactionId), last)


def _later(one: tuple[str, UUID], other: tuple[str, UUID] | None) -> tuple[str, UUID]:
    """The horizon of a restored or replaced server may lie behind a cursor from before; it never leads backwards."""
    return max(one, other or one, key=lambda place: (int(place[0]), place[1]))
