"""Creating and changing recipients, five hundred as cheaply as one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from app.db.identifiers import new_ids
from app.db.statements import Connection, RaceLost, copy, fetch, until_unraced
from app.domain.account import AccountBook, AccountNotFound
from app.domain.errors import DomainError
from app.domain.identity import Directory, Identifier, Person, identifiers_in
from app.domain.recipient import FIELDS, IDENTIFIERS, RecipientInput
from app.domain.suppression import RecipientErased, Suppression
from app.domain.upserted import Upserted
from app.operations.accounts import existing_accounts, read_account_book, store_accounts
from app.operations.suppressions import read_suppressions

Outcome = Upserted | DomainError
SEPARATOR = "\x1f"  # no identifier contains a control character
WORTH_A_COPY = 200  # people; below that, finding out the column types costs more than it saves
KEPT = (*FIELDS, "unsubscribed_at", "asked_at")


async def upsert_recipients(
    tx: Connection,
    said: Sequence[RecipientInput],
    *,
    now: datetime,
    hmac_key: bytes,
    said_at: datetime | None = None,
) -> list[Outcome]:
    """Find or make the person each row means, and change the fields given. One outcome a row, in order.

    Rows may be of several workspaces; rows of the same person take effect in order. A row that cannot be followed
    changes nothing and has the error as its outcome; the others are stored. `said_at` is when the rows were handed
    in, if that was a while ago: people erased since then are not brought back.
    """
    if not said:
        return []

    async def attempt(lock: bool) -> list[Outcome]:  # noqa: FBT001 - until_unraced calls it so
        return await _upsert(tx, said, now=now, hmac_key=hmac_key, said_at=said_at, lock=lock)

    return await until_unraced(tx, attempt)


async def _upsert(
    tx: Connection,
    said: Sequence[RecipientInput],
    *,
    now: datetime,
    hmac_key: bytes,
    said_at: datetime | None,
    lock: bool,
) -> list[Outcome]:
    """1 read who and what may be meant; 2 decide in memory; 3 insert the new; 4 update the changed. Raises RaceLost."""
    book = await read_account_book(tx, (one.account for one in said if one.account is not None), lock=lock)
    accounts = await existing_accounts(
        tx, ((one.workspace_id, one.given["account_id"]) for one in said if one.given.get("account_id"))
    )
    directory = Directory(await _read_people(tx, said, lock=lock))
    suppressions = await read_suppressions(tx, said, directory, hmac_key=hmac_key)
    heard = _Heard(directory, book, accounts, suppressions, said_at or now, new_ids(now).__next__)
    outcomes = [heard.outcome(one) for one in said]
    await store_accounts(tx, book, now=now)
    await _store_people(tx, list(directory.people()), suppressions, now=now)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is known while rows are followed one after the other."""

    directory: Directory
    book: AccountBook
    accounts: set[tuple[UUID, UUID]]
    suppressions: Mapping[Identifier, Suppression]
    said_at: datetime
    new_id: Callable[[], UUID]

    def outcome(self, said: RecipientInput) -> Outcome:
        try:
            if self.suppressions or said.given.get("account_id"):
                self._check(said)
            if said.account is None:
                return self.directory.upsert(said, new_id=self.new_id)
            account, after = self.book.preview(said.account, new_id=self.new_id)
            in_account = said._replace(given={**said.given, "account_id": account.id})
            outcome = self.directory.upsert(in_account, new_id=self.new_id)
            self.book.keep(account, after)
        except DomainError as error:
            return error
        return outcome

    def _check(self, said: RecipientInput) -> None:
        account_id = said.given.get("account_id")
        if account_id and (said.workspace_id, account_id) not in self.accounts:
            raise AccountNotFound("There is no account with this id.", pointer="/account_id")
        if self.suppressions:
            found = map(self.suppressions.get, identifiers_in(said.workspace_id, said.given))
            if any(suppression and suppression.erased_at > self.said_at for suppression in found):
                raise RecipientErased("This person was erased after the row was handed in.")


async def _read_people(tx: Connection, said: Sequence[RecipientInput], *, lock: bool) -> list[Person]:
    """Everybody that any of the rows could mean."""
    workspaces = list({one.workspace_id for one in said})
    names = [[_names_of(said, workspace, kind) for workspace in workspaces] for kind in IDENTIFIERS]
    ids = {(one.workspace_id, one.recipient_id) for one in said if one.recipient_id is not None}
    rows = await fetch(
        tx,
        _LOCK_PEOPLE if lock else _READ_PEOPLE,
        workspaces,
        *names,
        [place[0] for place in ids],
        [place[1] for place in ids],
    )
    return [_person(row) for row in rows]


def _names_of(said: Sequence[RecipientInput], workspace_id: UUID, kind: str) -> str:
    """Joined to one text: asyncpg takes longer over the places of an array than PostgreSQL over the rest."""
    return SEPARATOR.join({one.given[kind] for one in said if one.given.get(kind) and one.workspace_id == workspace_id})


def _person(row: Mapping[str, Any]) -> Person:
    stored = {**{name: row[name] for name in KEPT}, "properties": json.loads(row["properties"])}
    return Person(row["workspace_id"], row["id"], stored, revision=row["revision"])


def _said_names(texts: str) -> str:
    return f"""(
        SELECT w.workspace_id, unnest(string_to_array(w.names, E'\\x1f')) AS name
        FROM unnest($1::uuid[], {texts}::text[]) AS w (workspace_id, names)
    ) AS said"""


_READ_PEOPLE = f"""
    WITH meant (workspace_id, id) AS (
        SELECT r.workspace_id, r.id FROM {_said_names("$2")}
        JOIN recipients r ON r.workspace_id = said.workspace_id AND r.external_id = said.name
            AND r.external_id IS NOT NULL
        UNION
        SELECT r.workspace_id, r.id FROM {_said_names("$3")}
        JOIN recipients r ON r.workspace_id = said.workspace_id AND r.email = said.name AND r.email IS NOT NULL
        UNION
        SELECT r.workspace_id, r.id FROM {_said_names("$4")}
        JOIN recipients r ON r.workspace_id = said.workspace_id AND r.phone = said.name AND r.phone IS NOT NULL
        UNION
        SELECT * FROM unnest($5::uuid[], $6::uuid[])
    )
    SELECT r.workspace_id, r.id, r.external_id, r.email, r.phone, r.name, r.locale, r.time_zone, r.account_id,
           r.properties::text AS properties, r.unsubscribed_at, r.asked_at, r.revision
    FROM meant JOIN recipients r ON r.workspace_id = meant.workspace_id AND r.id = meant.id
    WHERE r.deleted_at IS NULL
    ORDER BY r.workspace_id, r.id
"""
_LOCK_PEOPLE = f"{_READ_PEOPLE} FOR NO KEY UPDATE OF r"


async def _store_people(
    tx: Connection, people: Sequence[Person], suppressions: Mapping[Identifier, Suppression], *, now: datetime
) -> None:
    if suppressions:
        _impose(suppressions, people)
    await _hand_over(tx, people)
    await _insert_new(tx, [person for person in people if person.is_new], now=now)
    await _update_changed(tx, [person for person in people if person.has_changed], now=now)


def _impose(suppressions: Mapping[Identifier, Suppression], people: Sequence[Person]) -> None:
    """Who said no, and was erased, is not asked again because somebody uploads the address once more."""
    for person in people:
        for name in person.identifiers():
            if name in suppressions:
                person.after = suppressions[name].imposed_on(person.after)


async def _hand_over(tx: Connection, people: Sequence[Person]) -> None:
    """What one gives up and another takes is let go first: a unique index looks at every row by itself."""
    given_up = {name: person for person in people for name in person.given_up()}
    taken = {name for person in people for name in person.identifiers()} if given_up else set()
    releases = [(person, name) for name, person in given_up.items() if name in taken]
    for kind in {name[1] for _, name in releases}:
        named = [person for person, name in releases if name[1] == kind]
        await fetch(
            tx,
            f"UPDATE recipients r SET {kind} = NULL {_GIVING_UP}",
            [person.workspace_id for person in named],
            [person.id for person in named],
            [person.revision for person in named],
        )


_GIVING_UP = """
    FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS said (workspace_id, id, revision)
    WHERE r.workspace_id = said.workspace_id AND r.id = said.id AND r.revision = said.revision
"""


async def _insert_new(tx: Connection, people: Sequence[Person], *, now: datetime) -> None:
    if not people:
        return
    # one order for everybody who inserts, so that two rarely wait for each other
    people = sorted(people, key=_strongest_name)
    if len(people) >= WORTH_A_COPY:
        await _copy_new(tx, people, now=now)
        return
    stored = await fetch(tx, _INSERT, *_columns(people), now)
    if len(stored) < len(people):
        raise RaceLost


def _strongest_name(person: Person) -> str:
    return str(person.after.get("external_id") or person.after.get("email") or person.after["phone"])


async def _copy_new(tx: Connection, people: Sequence[Person], *, now: datetime) -> None:
    """Half the cost of an insert that looks for conflicts; one conflict, and all are looked up again."""
    instants = [now] * len(people)
    records = zip(*_columns(people), instants, instants, strict=True)
    await copy(tx, "recipients", columns=("workspace_id", "id", *KEPT, "created_at", "updated_at"), records=records)


async def _update_changed(tx: Connection, people: Sequence[Person], *, now: datetime) -> None:
    if not people:
        return
    stored = await fetch(tx, _UPDATE, *_columns(people), now, [person.revision for person in people])
    if len(stored) < len(people):
        raise RaceLost


def _columns(people: Sequence[Person]) -> list[list[Any]]:
    columns = {name: [person.after.get(name) for person in people] for name in KEPT}
    columns["properties"] = [to_json(properties).decode() for properties in columns["properties"]]
    return [[person.workspace_id for person in people], [person.id for person in people], *columns.values()]


_SAID = """
    unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
           $10::text[], $11::timestamptz[], $12::timestamptz[]{more})
        AS said (workspace_id, id, external_id, email, phone, name, locale, time_zone, account_id, properties,
                 unsubscribed_at, asked_at{names})
"""
_INSERT = f"""
    INSERT INTO recipients (workspace_id, id, external_id, email, phone, name, locale, time_zone, account_id,
                            properties, unsubscribed_at, asked_at, created_at, updated_at)
    SELECT workspace_id, id, external_id, email, phone, name, locale, time_zone, account_id,
           properties::jsonb, unsubscribed_at, asked_at, $13, $13
    FROM {_SAID.format(more="", names="")}
    ON CONFLICT DO NOTHING RETURNING id
"""
_UPDATE = f"""
    UPDATE recipients r
    SET external_id = said.external_id, email = said.email, phone = said.phone, name = said.name,
        locale = said.locale, time_zone = said.time_zone, account_id = said.account_id,
        properties = said.properties::jsonb,
        unsubscribed_at = said.unsubscribed_at, asked_at = said.asked_at,
        updated_at = $13, revision = r.revision + 1, changed_in = pg_current_xact_id()
    FROM {_SAID.format(more=", $14::integer[]", names=", revision")}
    WHERE r.workspace_id = said.workspace_id AND r.id = said.id AND r.revision = said.revision
    RETURNING r.id
"""
