"""Rows of recipients: read by whatever identifies them, stored many at a time."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from app.db.statements import Connection, RaceLost, copy, fetch, next_revision
from app.domain.people.identity import Person
from app.domain.people.recipient import FIELDS, IDENTIFIERS, RecipientInput
from app.operations.invitations.replan import replan_dates_of

KEPT = (*FIELDS, "unsubscribed_at", "asked_at")
SEPARATOR = "\x1f"  # no identifier contains a control character
WORTH_A_COPY = 200  # people; below that, finding out the column types costs more than it saves

NewRow = tuple[UUID, UUID, Mapping[str, Any]]  # workspace, id, fields


async def read_people(tx: Connection, said: Sequence[RecipientInput], *, lock: bool) -> list[Person]:
    """Everybody that any of the rows could mean."""
    named: dict[UUID, tuple[set[str], ...]] = defaultdict(lambda: tuple(set() for _ in IDENTIFIERS))
    for one in said:
        for names, kind in zip(named[one.workspace_id], IDENTIFIERS, strict=True):
            if one.given.get(kind):
                names.add(one.given[kind])
    # Joined to one text: asyncpg takes longer over the places of an array than PostgreSQL over the rest.
    texts = [[SEPARATOR.join(names[at]) for names in named.values()] for at in range(len(IDENTIFIERS))]
    ids = {(one.workspace_id, one.recipient_id) for one in said if one.recipient_id is not None}
    statement = _LOCK_PEOPLE if lock else _READ_PEOPLE
    rows = await fetch(tx, statement, list(named), *texts, [place[0] for place in ids], [place[1] for place in ids])
    return [_person(row) for row in rows]


def _person(row: Mapping[str, Any]) -> Person:
    stored = {name: row[name] for name in (*KEPT, "complained_at")} | {"properties": json.loads(row["properties"])}
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
           r.properties::text AS properties, r.unsubscribed_at, r.complained_at, r.asked_at,
           r.revision
    FROM meant JOIN recipients r ON r.workspace_id = meant.workspace_id AND r.id = meant.id
    WHERE r.deleted_at IS NULL
    ORDER BY r.workspace_id, r.id
"""
_LOCK_PEOPLE = f"{_READ_PEOPLE} FOR NO KEY UPDATE OF r"


async def hand_over(tx: Connection, people: Sequence[Person]) -> None:
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


async def insert_new(tx: Connection, people: Sequence[NewRow], *, now: datetime) -> None:
    """Raises RaceLost."""
    if not people:
        return
    # one order for everybody who inserts, so that two rarely wait for each other
    columns = _columns(sorted(people, key=_strongest_name))
    if len(people) >= WORTH_A_COPY:
        await _copy_new(tx, columns, now=now)
        return
    stored = await fetch(tx, _INSERT, *columns, now)
    if len(stored) < len(people):
        raise RaceLost


def _strongest_name(row: NewRow) -> str:
    return str(row[2].get("external_id") or row[2].get("email") or row[2]["phone"])


async def _copy_new(tx: Connection, columns: Sequence[Sequence[Any]], *, now: datetime) -> None:
    """Half the cost of an insert that looks for conflicts; one conflict, and all are looked up again."""
    instants = [now] * len(columns[0])
    named = zip(("workspace_id", "id", *KEPT, "created_at", "updated_at"), (*columns, instants, instants), strict=True)
    filled = {name: column for name, column in named if any(value is not None for value in column)}
    await copy(tx, "recipients", columns=tuple(filled), records=zip(*filled.values(), strict=True))


async def update_changed(tx: Connection, people: Sequence[Person], *, now: datetime) -> None:
    """Raises RaceLost."""
    if not people:
        return
    stored = await fetch(
        tx,
        _UPDATE,
        *_columns((person.workspace_id, person.id, _said_after(person)) for person in people),
        now,
        [person.revision for person in people],
    )
    if len(stored) < len(people):
        raise RaceLost
    await replan_dates_of(tx, [(one.workspace_id, one.id) for one in people if _has_moved(one)])


def _has_moved(person: Person) -> bool:
    return person.stored is not None and person.after["time_zone"] != person.stored["time_zone"]


def _said_after(person: Person) -> Mapping[str, Any]:
    """`asked_at` only where a suppression moves it: sending moves it too, and does not wait for who changes a name."""
    assert person.stored is not None
    if person.after["asked_at"] == person.stored["asked_at"]:
        return {**person.after, "asked_at": None}
    return person.after


def _columns(people: Iterable[NewRow]) -> list[Sequence[Any]]:
    workspaces, ids, fields = zip(*people, strict=True)
    columns = {name: [one.get(name) for one in fields] for name in KEPT}
    columns["properties"] = [
        to_json(properties).decode() if properties else "{}" for properties in columns["properties"]
    ]
    return [workspaces, ids, *columns.values()]


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
        unsubscribed_at = said.unsubscribed_at, asked_at = greatest(r.asked_at, said.asked_at),
        bounced_at = CASE WHEN r.email IS NOT DISTINCT FROM said.email THEN r.bounced_at END,
        updated_at = $13, {next_revision("r")}
    FROM {_SAID.format(more=", $14::integer[]", names=", revision")}
    WHERE r.workspace_id = said.workspace_id AND r.id = said.id AND r.revision = said.revision
    RETURNING r.id
"""
