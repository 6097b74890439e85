"""Many callers, one commit.

Whoever arrives while the previous batch is being committed makes up the next one: no timer, so a lonely caller waits
for nothing, and a crowd shares one fsync, one plan and one pass over the hot counters.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.statements import sqlstate_of
from app.domain.errors import Overloaded

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Write = Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]]

BATCH_LIMIT = 500  # beyond it, rows per second no longer rise
TENANT_SHARE = 4  # one tenant may fill this fraction of the queue
IMMEDIATE_REPLAYS = 3
GIVE_UP_SECONDS = 5.0  # an outage longer than this is told to the caller
RECONNECT_SECONDS = 0.05

# SQLSTATE classes and what they mean for a batch (PostgreSQL, Appendix A).
REPLAY_STATES = frozenset({"40P01", "40001"})  # deadlock, serialisation: the same batch again
BLOCKED_STATE = "55P03"  # lock_timeout: somebody's open transaction is in the way
ITEM_CLASSES = frozenset({"22", "23"})  # a bad row: find it, let the others pass
OUTAGE_CLASSES = frozenset({"08", "53", "57"})  # no connection, no room, shutting down
READ_ONLY_STATE = "25006"  # a standby, until it has taken over


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Outcome]):
    tenant: Hashable
    items: Sequence[Item]
    done: "asyncio.Future[list[Outcome | Exception]]"


class Blocked(Exception):
    """Somebody's open transaction holds what the batch needs."""


class GroupCommit(Generic[Item, Outcome]):
    """`write` stores a batch in one transaction and tells each item's outcome in order; it must be repeatable.

    `write_blocked` is the same on another connection with a longer lock_timeout: what one tenant's open
    transaction blocks goes there, a tenant at a time, and everybody else goes on.
    """

    def __init__(self, write: Write[Item, Outcome], write_blocked: Write[Item, Outcome], *, queue_limit: int) -> None:
        self._write, self._write_blocked = write, write_blocked
        self._queue_limit = queue_limit
        self._entries: deque[_Entry[Item, Outcome]] = deque()
        self._waiting: Counter[Hashable] = Counter()
        self._wake = asyncio.Event()
        self._held: dict[Hashable, list[_Entry[Item, Outcome]]] = {}
        self._blocked: set[asyncio.Task[None]] = set()
        self._slow_lane = asyncio.Lock()
        self._lane: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        self._lane = asyncio.create_task(self._run(), name="group-commit")

    async def submit(self, tenant: Hashable, item: Item) -> Outcome:
        outcome = (await self.submit_all(tenant, [item]))[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit_all(self, tenant: Hashable, items: Sequence[Item]) -> list[Outcome | Exception]:
        """At most BATCH_LIMIT items. Raises `Overloaded` when the queue, or the tenant's share of it, is full."""
        waiting = self._waiting.total() if len(self._waiting) > 1 else self._waiting[tenant]
        share = self._queue_limit // TENANT_SHARE
        if self._closed or waiting + len(items) > self._queue_limit or self._waiting[tenant] + len(items) > share:
            raise Overloaded("Too many answers are waiting to be stored.")
        entry = _Entry(tenant, items, asyncio.get_running_loop().create_future())
        self._entries.append(entry)
        self._waiting[tenant] += len(items)
        self._wake.set()
        return await entry.done

    async def close(self) -> None:
        """Stores what waits, then leaves."""
        self._closed = True
        self._wake.set()
        if self._lane is not None:
            await self._lane
        await asyncio.gather(*self._blocked)

    async def _run(self) -> None:
        while not (self._closed and not self._entries):
            if not self._entries:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._commit(self._take())

    def _take(self) -> list[_Entry[Item, Outcome]]:
        batch: list[_Entry[Item, Outcome]] = []
        size = 0
        while self._entries and (not batch or size + len(self._entries[0].items) <= BATCH_LIMIT):
            entry = self._entries.popleft()
            self._leave_queue(entry)
            if not entry.done.done():  # a caller who hung up before we began need not be answered
                batch.append(entry)
                size += len(entry.items)
        return batch

    def _leave_queue(self, entry: _Entry[Item, Outcome]) -> None:
        self._waiting[entry.tenant] -= len(entry.items)
        if not self._waiting[entry.tenant]:
            del self._waiting[entry.tenant]

    async def _commit(self, batch: list[_Entry[Item, Outcome]]) -> None:
        free = [entry for entry in batch if not self._held_back(entry)]
        if not free:
            return
        try:
            outcomes = await self._store([item for entry in free for item in entry.items], self._write)
        except Blocked:
            await self._sort_out(free)
            return
        _answer(free, outcomes)

    async def _sort_out(self, batch: list[_Entry[Item, Outcome]]) -> None:
        """Each tenant by itself: who is blocked goes to the slow lane, and is no longer let into the common batches."""
        tenants = list(dict.fromkeys(entry.tenant for entry in batch))
        for tenant in tenants:
            entries = [entry for entry in batch if entry.tenant == tenant]
            if len(tenants) > 1:
                await self._commit_alone(entries)
            else:
                self._hold(tenant, entries)

    async def _commit_alone(self, entries: list[_Entry[Item, Outcome]]) -> None:
        try:
            outcomes = await self._store([item for entry in entries for item in entry.items], self._write)
        except Blocked:
            self._hold(entries[0].tenant, entries)
            return
        _answer(entries, outcomes)

    def _held_back(self, entry: _Entry[Item, Outcome]) -> bool:
        held = self._held.get(entry.tenant)
        if held is None:
            return False
        held.append(entry)
        return True

    def _hold(self, tenant: Hashable, entries: list[_Entry[Item, Outcome]]) -> None:
        self._held[tenant] = entries
        task = asyncio.create_task(self._work_off(tenant))
        self._blocked.add(task)
        task.add_done_callback(self._blocked.discard)

    async def _work_off(self, tenant: Hashable) -> None:
        while entries := self._held[tenant]:
            batch = _first_batch(entries)
            self._held[tenant] = entries[len(batch) :]
            await self._commit_blocked(batch)
        del self._held[tenant]

    async def _commit_blocked(self, entries: list[_Entry[Item, Outcome]]) -> None:
        items = [item for entry in entries for item in entry.items]
        outcomes: Sequence[Outcome | Exception]
        try:
            async with self._slow_lane:
                outcomes = await self._store(items, self._write_blocked)
        except Blocked:
            outcomes = [Overloaded("Another change to the same rows is not finished yet.")] * len(items)
        _answer(entries, outcomes)

    async def _store(self, items: Sequence[Item], write: Write[Item, Outcome]) -> Sequence[Outcome | Exception]:
        """Replays what may succeed, halves what holds a bad item, gives up on an outage after GIVE_UP_SECONDS."""
        deadline = monotonic() + GIVE_UP_SECONDS
        replays = 0
        while True:
            try:
                return await write(items)
            except Exception as error:
                state = sqlstate_of(error) or ""
                if state == BLOCKED_STATE:
                    raise Blocked from error
                if is_outage(error) and monotonic() < deadline:
                    await asyncio.sleep(RECONNECT_SECONDS)
                elif state in REPLAY_STATES and replays < IMMEDIATE_REPLAYS:
                    replays += 1
                elif state[:2] in ITEM_CLASSES and len(items) > 1:
                    return await self._halve(items, write)
                else:
                    return [_told(error)] * len(items)

    async def _halve(self, items: Sequence[Item], write: Write[Item, Outcome]) -> Sequence[Outcome | Exception]:
        middle = len(items) // 2
        return [*await self._store(items[:middle], write), *await self._store(items[middle:], write)]


def _first_batch(entries: list[_Entry[Item, Outcome]]) -> list[_Entry[Item, Outcome]]:
    """At least one, and more as long as they have no more than BATCH_LIMIT items between them."""
    size = 0
    for count, entry in enumerate(entries):
        size += len(entry.items)
        if count and size > BATCH_LIMIT:
            return entries[:count]
    return entries


def is_outage(error: Exception) -> bool:
    """Whether PostgreSQL is away, rather than unwilling."""
    if isinstance(error, OSError | TimeoutError | PoolTimeout | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate_of(error) or ""
    return state[:2] in OUTAGE_CLASSES or state == READ_ONLY_STATE


def _told(error: Exception) -> Exception:
    return Overloaded("The database is not available.") if is_outage(error) else error


def _answer(entries: Sequence[_Entry[Item, Outcome]], outcomes: Sequence[Outcome | Exception]) -> None:
    start = 0
    for entry in entries:
        end = start + len(entry.items)
        if not entry.done.done():
            entry.done.set_result(list(outcomes[start:end]))
        start = end
