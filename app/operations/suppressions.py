"""What outlives an erasure, and the taking off of an address: who said no and when they were last asked, found again by
keyed digests only.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import Connection, fetch
from app.domain.people.identity import Directory, Identifier, Person
from app.domain.people.recipient import ADDRESSES, RecipientInput
from app.domain.people.suppression import Suppression, digests_of, identifier_digest

# Of those who neither said no nor were asked, only that they are not to come back with an import uploaded earlier.
FORGOTTEN_AFTER = timedelta(days=7)


async def read_suppressions(
    tx: Connection, said: Sequence[RecipientInput], directory: Directory, *, hmac_key: bytes
) -> Mapping[Identifier, Suppression]:
    """Of identifiers that nobody has at the moment."""
    if not await _any_suppressions(tx, {one.workspace_id for one in said}):
        return {}
    digests = {(name[0], identifier_digest(*name, key=hmac_key)): name for name in directory.unknown(said)}
    rows = await fetch(tx, _READ, [place[0] for place in digests], [place[1] for place in digests])
    return {
        digests[row["workspace_id"], row["address_hmac"]]: Suppression(
            row["unsubscribed_at"], row["asked_at"], row["erased_at"]
        )
        for row in rows
    }


async def _any_suppressions(tx: Connection, workspace_ids: Iterable[UUID]) -> bool:
    """Most workspaces have none, and need no digests."""
    return bool(await fetch(tx, _ANY, list(workspace_ids)))


async def remember_erased(tx: Tx, person: Mapping[str, Any], *, now: datetime, hmac_key: bytes) -> None:
    """`person` is the row as it was."""
    digests = sorted(digests_of(person["workspace_id"], person, key=hmac_key))
    said = Suppression.of(person)
    await fetch(tx, _REMEMBER, person["workspace_id"], digests, said.unsubscribed_at, said.asked_at, now)


async def remember_given_up(tx: Connection, people: Sequence[Person], *, hmac_key: bytes) -> None:
    """The addresses that were just taken off them, each with what its person had said by then."""
    given_up = sorted(
        (workspace_id, identifier_digest(workspace_id, kind, value, key=hmac_key), person.id)
        for person in people
        for workspace_id, kind, value in person.given_up()
        if kind in ADDRESSES
    )
    if given_up:
        await fetch(tx, _REMEMBER_GIVEN_UP, *map(list, zip(*given_up, strict=True)))


async def take_back_suppressions(tx: Tx, workspace_id: UUID, *, unsubscribed_at: datetime) -> None:
    """The refusal of that very instant was a mistake, under whatever address they were known then."""
    await fetch(tx, _TAKE_BACK, workspace_id, unsubscribed_at)


async def forget_idle_suppressions(tx: Tx, *, now: datetime) -> None:
    await fetch(tx, _FORGET, now - FORGOTTEN_AFTER)


_ANY = "SELECT w FROM unnest($1::uuid[]) AS w WHERE EXISTS (SELECT FROM suppressions s WHERE s.workspace_id = w)"
_READ = """
    SELECT s.workspace_id, s.address_hmac, s.unsubscribed_at, s.asked_at, s.erased_at
    FROM unnest($1::uuid[], $2::bytea[]) AS said (workspace_id, digest)
    JOIN suppressions s ON s.workspace_id = said.workspace_id AND s.address_hmac = said.digest
"""
_REMEMBER = """
    INSERT INTO suppressions AS s (workspace_id, address_hmac, unsubscribed_at, asked_at, erased_at)
    SELECT $1::uuid, digest, $3::timestamptz, $4::timestamptz, $5::timestamptz FROM unnest($2::bytea[]) AS digest
    ON CONFLICT (workspace_id, address_hmac) DO UPDATE
    SET unsubscribed_at = least(s.unsubscribed_at, EXCLUDED.unsubscribed_at),
        asked_at = greatest(s.asked_at, EXCLUDED.asked_at),
        erased_at = greatest(s.erased_at, EXCLUDED.erased_at)
"""
# A complaint stays where an unsubscription is taken back. Of people as they are now, who are locked: sending moves
# `asked_at` without waiting for who changes an address.
_REMEMBER_GIVEN_UP = """
    INSERT INTO suppressions AS s (workspace_id, address_hmac, unsubscribed_at, asked_at)
    SELECT said.workspace_id, said.digest, min(coalesce(r.complained_at, r.unsubscribed_at)), max(r.asked_at)
    FROM unnest($1::uuid[], $2::bytea[], $3::uuid[]) AS said (workspace_id, digest, recipient_id)
    JOIN recipients r ON r.workspace_id = said.workspace_id AND r.id = said.recipient_id
    WHERE num_nonnulls(r.unsubscribed_at, r.complained_at, r.asked_at) > 0
    GROUP BY said.workspace_id, said.digest ORDER BY said.workspace_id, said.digest
    ON CONFLICT (workspace_id, address_hmac) DO UPDATE
    SET unsubscribed_at = least(s.unsubscribed_at, EXCLUDED.unsubscribed_at),
        asked_at = greatest(s.asked_at, EXCLUDED.asked_at)
"""
_TAKE_BACK = "UPDATE suppressions SET unsubscribed_at = NULL WHERE workspace_id = $1 AND unsubscribed_at = $2"
_FORGET = """
    DELETE FROM suppressions
    WHERE unsubscribed_at IS NULL AND asked_at IS NULL AND coalesce(erased_at, '-infinity') < $1
"""
