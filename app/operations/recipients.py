"""Creating and changing recipients, five hundred as cheaply as one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.db.identifiers import new_ids
from app.db.statements import Connection, until_unraced
from app.domain.errors import DomainError
from app.domain.people.account import AccountBook, AccountNotFound
from app.domain.people.identity import Directory, Identifier, Person, identifiers_in
from app.domain.people.recipient import ADDRESSES, RecipientInput
from app.domain.people.suppression import RecipientErased, Suppression
from app.domain.people.upserted import Change, Upserted
from app.operations.accounts import existing_accounts, read_account_book, store_accounts
from app.operations.recipient_rows import NewRow, hand_over, insert_new, read_people, update_changed
from app.operations.suppressions import read_suppressions, remember_given_up

Outcome = Upserted | DomainError


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
    directory = Directory(await read_people(tx, said, lock=lock))
    suppressions = await read_suppressions(tx, said, directory, hmac_key=hmac_key)
    heard = _Heard(directory, book, accounts, suppressions, said_at or now, new_ids(now).__next__)
    outcomes = heard.outcomes(said)
    await store_accounts(tx, book, now=now)
    await _store_people(tx, heard, list(directory.people()), now=now, hmac_key=hmac_key)
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
    strangers: list[NewRow] = field(default_factory=list)

    def outcomes(self, said: Sequence[RecipientInput]) -> list[Outcome]:
        alone = frozenset[int]() if self.suppressions else self.directory.strangers(said)
        return [self._stranger(one) if place in alone else self._outcome(one) for place, one in enumerate(said)]

    def _stranger(self, said: RecipientInput) -> Upserted:
        """Nothing to look up and nothing to merge with, as is nearly everybody in a first import."""
        person_id = self.new_id()
        self.strangers.append((said.workspace_id, person_id, said.given))
        return Upserted(person_id, Change.CREATED)

    def _outcome(self, said: RecipientInput) -> Outcome:
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
            erased = [suppression.erased_at for suppression in found if suppression and suppression.erased_at]
            if any(erased_at > self.said_at for erased_at in erased):
                raise RecipientErased("This person was erased after the row was handed in.")


async def _store_people(
    tx: Connection, heard: _Heard, people: Sequence[Person], *, now: datetime, hmac_key: bytes
) -> None:
    suppressions = {**heard.suppressions, **_given_up(people)}
    if suppressions:
        _impose(suppressions, people)
    await hand_over(tx, people)
    new = [(person.workspace_id, person.id, person.after) for person in people if person.is_new]
    await insert_new(tx, [*heard.strangers, *new], now=now)
    changed = [person for person in people if person.has_changed]
    await update_changed(tx, changed, now=now)
    await remember_given_up(tx, changed, hmac_key=hmac_key)


def _given_up(people: Sequence[Person]) -> Mapping[Identifier, Suppression]:
    """Addresses that one of these people has no more, and another may have now."""
    return {
        name: Suppression.of(person.stored)
        for person in people
        if person.stored is not None
        for name in person.given_up()
        if name[1] in ADDRESSES
    }


def _impose(suppressions: Mapping[Identifier, Suppression], people: Sequence[Person]) -> None:
    """Who said no is not asked again because somebody uploads the address once more, or gives it to another person."""
    for person in people:
        for name in person.identifiers():
            if name in suppressions:
                person.after = suppressions[name].imposed_on(person.after)
