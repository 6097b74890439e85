"""Creating or updating the people that answers came with, and nobody for whom there is no reason."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.db.engine import Engine, Tx
from app.db.statements import fetch
from app.domain.campaign import CampaignNotAccepting
from app.domain.errors import DomainError
from app.domain.people.recipient import RecipientInput
from app.operations.instance_keys import AddressKey
from app.operations.recipient_changes import announce_saved
from app.operations.recipients import Outcome, upsert_recipients
from app.operations.responses.campaign_refusals import campaign_refusals
from app.operations.responses.new_response import NewResponse


@dataclass(slots=True)
class Arrivals:
    """Places in the batch: which may be inserted, which are here already, and which wait for one before them."""

    fresh: list[int] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    refused: dict[int, DomainError] = field(default_factory=dict)


async def bring_in_people(
    engine: Engine,
    batch: Sequence[NewResponse],
    waiting: Sequence[int],
    *,
    address_key: AddressKey,
    lock_timeout: str,
) -> Arrivals:
    """A retry and a request under a used key bring in nobody: what is here already decides about them."""
    arrivals = Arrivals()
    places = [place for place in waiting if batch[place].recipient is not None]
    if places:
        hmac_key = await address_key.read()
        async with engine.write(lock_timeout=lock_timeout) as tx:
            known = await _known(tx, batch, places)
            refusals = dict(zip(places, await campaign_refusals(tx, [batch[place] for place in places]), strict=True))
            _sort(batch, places, known, refusals, arrivals)
            aside = {*arrivals.repeats, *arrivals.later, *arrivals.refused}
            said = [place for place in places if place not in aside and refusals[place] is None]
            people = await _save(tx, [batch[place] for place in said], hmac_key=hmac_key)
        for place, person in zip(said, people, strict=True):
            if isinstance(person, DomainError):
                arrivals.refused[place] = person
            else:
                batch[place].recipient_id = person.id
    aside = {*arrivals.repeats, *arrivals.later, *arrivals.refused}
    arrivals.fresh = [place for place in waiting if place not in aside]
    return arrivals


def _sort(
    batch: Sequence[NewResponse],
    places: Iterable[int],
    known: set[int],
    refusals: dict[int, DomainError | None],
    arrivals: Arrivals,
) -> None:
    """A campaign that takes no new answers may still be sent one again that it has."""
    met: set[Hashable] = set()
    for place in places:
        refusal, names = refusals[place], _names(batch[place])
        if place in known:
            batch[place].refusal = refusal
            arrivals.repeats.append(place)
        elif refusal is not None and not isinstance(refusal, CampaignNotAccepting):
            arrivals.refused[place] = refusal
        elif met.intersection(names):
            arrivals.later.append(place)
        met.update(names)


def _names(response: NewResponse) -> list[Hashable]:
    """By which another request may mean the same answer."""
    names: list[Hashable] = []
    if response.idempotency_key is not None:
        names.append((response.workspace_id, response.idempotency_key))
    if response.import_id is not None:
        names.append((response.workspace_id, response.campaign_id, response.import_id))
    return names


async def _known(tx: Tx, batch: Sequence[NewResponse], places: Sequence[int]) -> set[int]:
    named = [place for place in places if _names(batch[place])]
    if not named:
        return set()
    columns = [
        [getattr(batch[place], name) for place in named]
        for name in ("workspace_id", "campaign_id", "idempotency_key", "import_id")
    ]
    return {row["place"] for row in await fetch(tx, _KNOWN, *columns, named)}


async def _save(tx: Tx, responses: Sequence[NewResponse], *, hmac_key: bytes) -> list[Outcome]:
    said: list[RecipientInput] = [one.recipient for one in responses if one.recipient is not None]
    if not said:
        return []
    now = responses[0].received_at
    people = await upsert_recipients(tx, said, now=now, hmac_key=hmac_key)
    await _announce(tx, said, people, now=now)
    return people


async def _announce(tx: Tx, said: Sequence[RecipientInput], people: Sequence[Outcome], *, now: datetime) -> None:
    of_workspace: dict[UUID, list[Outcome]] = defaultdict(list)
    for one, person in zip(said, people, strict=True):
        of_workspace[one.workspace_id].append(person)
    for workspace_id, saved in of_workspace.items():
        await announce_saved(tx, workspace_id, saved, now=now)


_KNOWN = """
    SELECT i.place FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int[])
        AS i (workspace_id, campaign_id, idempotency_key, import_id, place)
    WHERE EXISTS (
        SELECT FROM responses r WHERE r.workspace_id = i.workspace_id AND r.idempotency_key = i.idempotency_key
    ) OR EXISTS (
        SELECT FROM responses r
        WHERE r.workspace_id = i.workspace_id AND r.campaign_id = i.campaign_id AND r.import_id = i.import_id
    )
"""
