"""Two orders to page through: newest first, and in the order of change without losing a late commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Column, FromClause, RowMapping, Select, Table, Text, cast, func, tuple_

from app.db.engine import ReadTx
from app.db.tables.base import TransactionId

Row = TypeVar("Row")

# No transaction of ours lives longer (statement and idle timeouts), so looking this far back misses none that
# stamped its rows early and committed late. Rows may come twice; none is skipped.
LONGEST_TRANSACTION = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Page:
    limit: int = 50
    after: UUID | None = None  # newest first: continue below this id
    after_change: tuple[str, UUID] | None = None  # in order of change: continue behind (transaction, id)
    updated_after: datetime | None = None
    is_from_end: bool = False  # of the feed: nothing that is there already
    after_event: UUID | None = None  # of the feed: behind this one

    @property
    def by_change(self) -> bool:
        return self.updated_after is not None or self.after_change is not None


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    rows: Sequence[Row]
    next_after: UUID | None = None
    next_change: tuple[str, UUID] | None = None


async def newest_first(tx: ReadTx, query: Select[Any], table: FromClause, page: Page) -> Slice[RowMapping]:
    if page.after is not None:
        query = query.where(table.c.id < page.after)
    rows = (await tx.execute(query.order_by(table.c.id.desc()).limit(page.limit + 1))).mappings().all()
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    return Slice(rows, next_after=rows[-1]["id"] if more else None)


async def by_number(
    tx: ReadTx, query: Select[Any], column: Column[int], page: Page, *, is_descending: bool = False
) -> Slice[RowMapping]:
    """In the order of a column that tells rows apart where they have no id; in cursors it takes the id's place."""
    if page.after is not None:
        last = page.after.int % 2**31  # whoever brings a cursor of another list gets some page, and no error
        query = query.where(column < last if is_descending else column > last)
    order = column.desc() if is_descending else column
    rows = (await tx.execute(query.order_by(order).limit(page.limit + 1))).mappings().all()
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    return Slice(rows, next_after=UUID(int=rows[-1][column.name]) if more else None)


async def in_order_of_change(tx: ReadTx, query: Select[Any], table: Table, page: Page) -> Slice[RowMapping]:
    """Ends at the oldest transaction still running: what commits later than it began comes on a later page.

    Always returns where to go on, also at the end, so that a caller can poll with it.
    """
    stamp = table.c.changed_in
    query = query.add_columns(cast(stamp, Text).label("_changed_in")).where(stamp < _horizon())
    if page.after_change is not None:
        transaction, last = page.after_change
        query = query.where(tuple_(stamp, table.c.id) > tuple_(cast(transaction, TransactionId), last))
    elif page.updated_after is not None and "updated_at" in table.c:  # where nobody wrote down when, all may be new
        query = query.where(table.c.updated_at > page.updated_after - LONGEST_TRANSACTION)
    rows = (await tx.execute(query.order_by(stamp, table.c.id).limit(page.limit))).mappings().all()
    return Slice(rows, next_change=(rows[-1]["_changed_in"], rows[-1]["id"]) if rows else page.after_change)


async def paged(tx: ReadTx, query: Select[Any], table: Table, page: Page) -> Slice[RowMapping]:
    return await (in_order_of_change if page.by_change else newest_first)(tx, query, table, page)


def _horizon() -> Any:
    return func.pg_snapshot_xmin(func.pg_current_snapshot())
