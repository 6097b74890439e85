"""Creating and changing accounts by their external id, for themselves or on the way to their people."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import Connection, RaceLost, fetch, next_revision, until_unraced
from app.domain.errors import DomainError
from app.domain.people.account import FIELDS, Account, AccountBook, AccountInput
from app.domain.people.upserted import Upserted


async def upsert_accounts(tx: Tx, said: Sequence[AccountInput], *, now: datetime) -> list[Upserted | DomainError]:
    """Create each by its external id, or change the fields given. One outcome a row, in order."""

    async def attempt(lock: bool) -> list[Upserted | DomainError]:  # noqa: FBT001 - until_unraced calls it so
        book = await read_account_book(tx, said, lock=lock)
        outcomes = [_outcome(book, one, new_id=lambda: new_id(now)) for one in said]
        await store_accounts(tx, book, now=now)
        return outcomes

    return await until_unraced(tx, attempt)


def _outcome(book: AccountBook, said: AccountInput, *, new_id: Callable[[], UUID]) -> Upserted | DomainError:
    try:
        return book.keep(*book.preview(said, new_id=new_id))
    except DomainError as error:
        return error


async def read_account_book(tx: Connection, said: Iterable[AccountInput], *, lock: bool) -> AccountBook:
    places = sorted({one.place for one in said})
    if not places:
        return AccountBook([])
    statement = _LOCK_ACCOUNTS if lock else _READ_ACCOUNTS
    rows = await fetch(tx, statement, [place[0] for place in places], [place[1] for place in places])
    return AccountBook(
        Account(
            (row["workspace_id"], row["external_id"]),
            row["id"],
            {**{name: row[name] for name in FIELDS}, "properties": json.loads(row["properties"])},
            row["revision"],
        )
        for row in rows
    )


_READ_ACCOUNTS = """
    SELECT a.workspace_id, a.id, a.external_id, a.name, a.owner, a.tier, a.revenue, a.renews_on,
           a.properties::text AS properties, a.revision
    FROM unnest($1::uuid[], $2::text[]) AS said (workspace_id, external_id)
    JOIN accounts a ON a.workspace_id = said.workspace_id AND a.external_id = said.external_id
    ORDER BY a.workspace_id, a.id
"""
_LOCK_ACCOUNTS = f"{_READ_ACCOUNTS} FOR NO KEY UPDATE OF a"


async def store_accounts(tx: Connection, book: AccountBook, *, now: datetime) -> None:
    """Raises RaceLost."""
    # one order for everybody who inserts, so that two never wait for each other
    new = sorted((account for account in book.accounts() if account.is_new), key=lambda account: account.place)
    changed = [account for account in book.accounts() if account.has_changed]
    await _store(tx, _INSERT, new, [account.place[1] for account in new], now=now)
    await _store(tx, _UPDATE, changed, [account.revision for account in changed], now=now)


async def _store(
    tx: Connection, statement: str, accounts: Sequence[Account], last_column: list[Any], *, now: datetime
) -> None:
    if not accounts:
        return
    columns: list[list[Any]] = [
        [account.place[0] for account in accounts],
        [account.id for account in accounts],
        *([account.after[name] for account in accounts] for name in FIELDS if name != "properties"),
        [json.dumps(account.after["properties"]) for account in accounts],
    ]
    if len(await fetch(tx, statement, *columns, last_column, now)) < len(accounts):
        raise RaceLost


_INSERT = """
    INSERT INTO accounts
        (workspace_id, id, name, owner, tier, revenue, renews_on, properties, external_id, created_at, updated_at)
    SELECT workspace_id, id, name, owner, tier, revenue, renews_on, properties::jsonb, external_id, $10, $10
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::date[], $8::text[],
                $9::text[])
        AS said (workspace_id, id, name, owner, tier, revenue, renews_on, properties, external_id)
    ON CONFLICT DO NOTHING RETURNING id
"""
_UPDATE = f"""
    UPDATE accounts a
    SET name = said.name, owner = said.owner, tier = said.tier, revenue = said.revenue, renews_on = said.renews_on,
        properties = said.properties::jsonb, updated_at = $10, {next_revision("a")}
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::date[], $8::text[],
                $9::integer[])
        AS said (workspace_id, id, name, owner, tier, revenue, renews_on, properties, revision)
    WHERE a.workspace_id = said.workspace_id AND a.id = said.id AND a.revision = said.revision
    RETURNING a.id
"""


async def existing_accounts(tx: Connection, named: Iterable[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these (workspace, account) there are."""
    wanted = sorted(set(named))
    if not wanted:
        return set()
    rows = await fetch(tx, _FIND_BY_ID, [place[0] for place in wanted], [place[1] for place in wanted])
    return {(row["workspace_id"], row["id"]) for row in rows}


_FIND_BY_ID = """
    SELECT a.workspace_id, a.id FROM unnest($1::uuid[], $2::uuid[]) AS said (workspace_id, id)
    JOIN accounts a ON a.workspace_id = said.workspace_id AND a.id = said.id
"""
