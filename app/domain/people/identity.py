"""Who is meant: finding the one person that a description names, and what it changes about them.

Works on what was read beforehand, so that five hundred descriptions cost as many statements as one. They take effect
in order: later ones see the people that earlier ones made.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.ids import shown
from app.domain.people.properties import are_the_same, merged
from app.domain.people.recipient import IDENTIFIERS, RecipientInput, RecipientNotFound, RecipientUnidentified
from app.domain.people.upserted import Change, Upserted

Identifier = tuple[UUID, str, str]  # workspace, kind, value
NOTHING: Mapping[str, Any] = MappingProxyType({"properties": {}})  # is known of somebody new


class IdentityConflict(Conflict):
    """The identifiers belong to different people."""

    code = "identity_conflict"


class Person:
    """One person, as stored and as they shall be."""

    __slots__ = ("after", "id", "revision", "stored", "workspace_id")

    def __init__(
        self,
        workspace_id: UUID,
        person_id: UUID,
        stored: Mapping[str, Any] | None,
        *,
        revision: int = 0,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """`stored` has every field of a recipient; None: not stored yet."""
        self.workspace_id, self.id, self.stored, self.revision = workspace_id, person_id, stored, revision
        self.after: Mapping[str, Any] = after or stored or NOTHING

    @property
    def is_new(self) -> bool:
        return self.stored is None

    @property
    def has_changed(self) -> bool:
        if self.stored is None or self.after is self.stored:
            return False
        return not _alike(self.stored, self.after)

    def identifiers(self) -> list[Identifier]:
        return identifiers_in(self.workspace_id, self.after)

    def given_up(self) -> set[Identifier]:
        """Identifiers stored with them that they shall no longer have."""
        if self.stored is None or self.after is self.stored:
            return set()
        return set(identifiers_in(self.workspace_id, self.stored)) - set(self.identifiers())


class Directory:
    """The people that may be meant."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._by_id = {(person.workspace_id, person.id): person for person in people}
        self._by_identifier = {name: person for person in self._by_id.values() for name in person.identifiers()}

    def upsert(self, said: RecipientInput, *, new_id: Callable[[], UUID]) -> Upserted:
        """Raises IdentityConflict, RecipientUnidentified, RecipientNotFound or PropertiesInvalid, changing nothing."""
        names = identifiers_in(said.workspace_id, said.given)
        known = [self._by_identifier[name] for name in names if name in self._by_identifier]
        if not known and said.recipient_id is None:
            return self._add(said, names, new_id=new_id)
        person = self._meant_by(said, known)
        after = _after(person.after, said.given)
        if not identifiers_in(said.workspace_id, after):
            raise _unidentified()
        if _alike(person.after, after):
            return Upserted(person.id, Change.UNCHANGED)
        self._rename(person, after)
        return Upserted(person.id, Change.UPDATED)

    def people(self) -> Iterable[Person]:
        return self._by_id.values()

    def strangers(self, said: Sequence[RecipientInput]) -> frozenset[int]:
        """The places of rows whose identifiers neither a person nor another row has: each is somebody new."""
        named = [identifiers_in(one.workspace_id, one.given) for one in said]
        times = Counter(chain.from_iterable(named))
        crowd = {name for name, count in times.items() if count > 1} | self._by_identifier.keys()
        return frozenset(
            place for place, names in enumerate(named) if names and crowd.isdisjoint(names) and _is_plain(said[place])
        )

    def unknown(self, said: Iterable[RecipientInput]) -> set[Identifier]:
        """The identifiers that nobody has."""
        names = {name for one in said for name in identifiers_in(one.workspace_id, one.given)}
        return names - self._by_identifier.keys()

    def _add(self, said: RecipientInput, names: list[Identifier], *, new_id: Callable[[], UUID]) -> Upserted:
        if not names:
            raise _unidentified()
        person = Person(said.workspace_id, new_id(), None, after=_after(NOTHING, said.given))
        self._by_id[person.workspace_id, person.id] = person
        for name in names:
            self._by_identifier[name] = person
        return Upserted(person.id, Change.CREATED)

    def _meant_by(self, said: RecipientInput, known: Iterable[Person]) -> Person:
        meant = {person.id: person for person in known}
        if said.recipient_id is not None:
            meant[said.recipient_id] = self._with_id(said.workspace_id, said.recipient_id)
        if len(meant) > 1:
            raise _conflict(meant)
        (person,) = meant.values()
        if said.recipient_id is None:
            _check_external_id(person, said.given)
        return person

    def _with_id(self, workspace_id: UUID, recipient_id: UUID) -> Person:
        person = self._by_id.get((workspace_id, recipient_id))
        if person is None:
            raise RecipientNotFound("There is no recipient with this id.")
        return person

    def _rename(self, person: Person, after: Mapping[str, Any]) -> None:
        for name in person.identifiers():
            del self._by_identifier[name]
        person.after = after
        for name in person.identifiers():
            self._by_identifier[name] = person


def _is_plain(said: RecipientInput) -> bool:
    """It says nothing but fields that are stored as they are."""
    if said.recipient_id is not None or said.account is not None or said.given.get("account_id") is not None:
        return False
    properties = said.given.get("properties")
    return not properties or None not in properties.values()


def _unidentified() -> RecipientUnidentified:
    return RecipientUnidentified("Give an external_id, an email or a phone.")


def identifiers_in(workspace_id: UUID, fields: Mapping[str, Any]) -> list[Identifier]:
    return [(workspace_id, kind, fields[kind]) for kind in IDENTIFIERS if fields.get(kind)]


def _after(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    after = {**before, **given}
    if before.get("unsubscribed_at") is not None:
        after["unsubscribed_at"] = before["unsubscribed_at"]  # the first refusal stands
    if "properties" in given:
        after["properties"] = merged(before["properties"], given["properties"])
    return after


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if not are_the_same(one["properties"], other["properties"]):
        return False
    return all(one.get(name) == value for name, value in other.items() if name != "properties")


def _check_external_id(person: Person, given: Mapping[str, Any]) -> None:
    """An address that matches somebody with another external id means two people share it, not that one was renamed."""
    known, said = person.after.get("external_id"), given.get("external_id")
    if known is not None and said is not None and known != said:
        detail = (
            f"The address belongs to {shown('recipient', person.id)}, which has another external_id. "
            "To give it a new one, update it by its id."
        )
        raise IdentityConflict(detail, pointer="/external_id", recipients=[shown("recipient", person.id)])


def _conflict(meant: Mapping[UUID, Person]) -> IdentityConflict:
    people = sorted(shown("recipient", person_id) for person_id in meant)
    return IdentityConflict(f"The identifiers belong to different people: {', '.join(people)}.", recipients=people)
