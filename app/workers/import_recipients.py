"""Working off uploaded files of recipients.

1. claim an import       or take over one whose worker has died
2. read and store        eight hundred rows a transaction, the next of them while PostgreSQL is at work
3. complete it           with one announcement
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import structlog

from app.clock import utc_now
from app.db.engine import Engine
from app.domain.errors import DomainError, Overloaded
from app.domain.people.recipient import IDENTIFIERS, RecipientInput
from app.domain.people.recipient_file import recipient_file
from app.operations import imports
from app.operations.imports import ClaimedImport, ImportTakenOver, SaidRows
from app.queries.imports import read_chunk

log = structlog.get_logger()

ROWS_A_TRANSACTION = 800  # short enough for whoever waits for one of these people
BYTES_WITHOUT_A_PAUSE = 32_000  # a few milliseconds of work, then others may go on
PATIENCE_SECONDS = 0.5  # with the transaction before, which takes a tenth of that
CHUNKS_A_LEASE = 64  # read before the lease is renewed, whether or not there is anything to store


async def run_next_import(
    engine: Engine,
    *,
    hmac_key: bytes,
    lease_seconds: float,
    rows_a_transaction: int = ROWS_A_TRANSACTION,
    now: Callable[[], datetime] = utc_now,
) -> bool:
    """Whether there was one to work off. Whoever is stopped meanwhile gives it back."""
    async with engine.write() as tx:
        claimed = await imports.claim_import(tx, lease_seconds=lease_seconds)
    if claimed is None:
        return False
    importer = Importer(engine, claimed, hmac_key, lease_seconds, rows_a_transaction, now)
    try:
        await importer.run()
    except ImportTakenOver:
        log.warning("an import was taken over by another worker", import_id=claimed.id.hex)
    except asyncio.CancelledError:
        async with engine.write() as tx:
            await imports.give_back(tx, claimed)
        raise
    return True


class _InTheWay(Exception):
    """What this transaction has locked may be what the one before it waits for, which PostgreSQL cannot see."""


@dataclass(frozen=True, slots=True)
class _Storing:
    done: "asyncio.Future[None]"
    names: frozenset[str] | None  # of the people concerned; None if that cannot be told


@dataclass(frozen=True, slots=True)
class Importer:
    engine: Engine
    claimed: ClaimedImport
    hmac_key: bytes
    lease_seconds: float
    rows_a_transaction: int
    now: Callable[[], datetime]

    async def run(self) -> None:
        """Raises ImportTakenOver."""
        if self.claimed.is_hopeless:
            await self._fail("Something went wrong here again and again. It is in our log under the id of the import.")
            return
        try:
            await self._store_all()
        except Overloaded:
            raise
        except DomainError as error:  # the file cannot be read, or the campaign has been put away
            await self._fail(error.detail)
            return
        async with self.engine.write() as tx:
            await imports.complete_import(tx, self.claimed, now=self.now())

    async def _fail(self, reason: str) -> None:
        async with self.engine.write() as tx:
            await imports.fail_import(tx, self.claimed, reason, now=self.now())

    async def _store_all(self) -> None:
        async with aclosing(self._batches()) as batches:
            upcoming = asyncio.ensure_future(anext(batches, None))
            before: _Storing | None = None
            try:
                while (batch := await upcoming) is not None:
                    upcoming = asyncio.ensure_future(anext(batches, None))
                    before = await self._begin(batch, before)
                if before is not None:
                    await before.done
            finally:
                await _leave(upcoming, *([before.done] if before is not None else []))

    async def _begin(self, rows: SaidRows, before: "_Storing | None") -> "_Storing":
        """Beside the transaction before it, if that can concern none of the same people. Leaves one under way."""
        names = _names_in(rows.said) if self.claimed.campaign_id is None else None
        if before is not None and (names is None or before.names is None or not names.isdisjoint(before.names)):
            await before.done
            before = None
        storing = _Storing(asyncio.ensure_future(self._store(rows, before.done if before else None)), names)
        if before is not None:
            try:
                await before.done
            except BaseException:
                await _leave(storing.done)
                raise
        return storing

    async def _store(self, rows: SaidRows, before: "asyncio.Future[None] | None") -> None:
        while True:
            try:
                await self._store_behind(rows, before)
            except _InTheWay:
                assert before is not None
                await asyncio.wait({before})
            else:
                return

    async def _store_behind(self, rows: SaidRows, before: "asyncio.Future[None] | None") -> None:
        async with self.engine.write() as tx:
            now = self.now()
            outcomes = await imports.store_people(tx, self.claimed, rows, now=now, hmac_key=self.hmac_key)
            if before is not None:
                await _until_done(before)
            await imports.note_rows(tx, self.claimed, rows, outcomes, lease_seconds=self.lease_seconds, now=self.now())

    async def _batches(self) -> AsyncGenerator[SaidRows, None]:
        """Of the rows that nobody has stored yet."""
        said: list[RecipientInput | DomainError] = []
        lines: list[int] = []
        bytes_read = 0
        async with aclosing(self._rows()) as some:
            async for rows in some:
                said += rows.said
                lines += rows.lines
                bytes_read = rows.bytes_read
                if len(said) >= self.rows_a_transaction:
                    yield SaidRows(said, lines, bytes_read)
                    said, lines = [], []
        yield SaidRows(said, lines, bytes_read)

    async def _rows(self) -> AsyncGenerator[SaidRows, None]:
        """Some at a time."""
        file = recipient_file(self.claimed.form, self.claimed.workspace_id)
        bytes_read, left_out = 0, self.claimed.rows_read
        async with aclosing(self._chunks()) as chunks:
            async for chunk, is_last in chunks:
                for start in range(0, max(len(chunk), 1), BYTES_WITHOUT_A_PAUSE):
                    part = chunk[start : start + BYTES_WITHOUT_A_PAUSE]
                    rows = file.rows(part, is_last=is_last and start + len(part) == len(chunk))
                    bytes_read += len(part)
                    yield SaidRows(file.said(rows[left_out:]), [line for line, _ in rows[left_out:]], bytes_read)
                    left_out = max(left_out - len(rows), 0)
                    await asyncio.sleep(0)

    async def _chunks(self) -> AsyncGenerator[tuple[bytes, bool], None]:
        """Bytes, and whether they are the last."""
        chunk = await self._chunk(0)
        for number in count():
            following = await self._chunk(number + 1)
            yield chunk or b"", following is None
            if following is None:
                return
            chunk = following
            if number % CHUNKS_A_LEASE == 0:
                await self._renew_lease()

    async def _chunk(self, number: int) -> bytes | None:
        async with self.engine.read() as tx:
            return await read_chunk(tx, self.claimed.workspace_id, self.claimed.id, number)

    async def _renew_lease(self) -> None:
        async with self.engine.write() as tx:
            await imports.renew_lease(tx, self.claimed, lease_seconds=self.lease_seconds)


def _names_in(said: Sequence[RecipientInput | DomainError]) -> frozenset[str] | None:
    """None if rows share more than people, such as accounts."""
    rows = [row for row in said if isinstance(row, RecipientInput)]
    if any(row.account is not None or row.recipient_id is not None for row in rows):
        return None
    return frozenset(name for row in rows for kind in IDENTIFIERS if (name := row.given.get(kind)))


async def _until_done(before: "asyncio.Future[None]") -> None:
    """Raises _InTheWay, and what went wrong there."""
    await asyncio.wait({before}, timeout=PATIENCE_SECONDS)
    if not before.done():
        raise _InTheWay
    before.result()


async def _leave(*futures: "asyncio.Future[Any]") -> None:
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
