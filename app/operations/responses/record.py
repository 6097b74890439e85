"""Recording answers, many at a time.

1. bring in the people     recipients sent along with their answer are created or updated
2. insert the batch        one statement: answers, counters, events (insert_batch.py)
3. settle the repeats      what was not inserted is already there: the same again, amended, or refused
"""

from collections.abc import Sequence
from typing import NoReturn

import asyncpg

from app.db.engine import Engine
from app.domain.campaign import NAMES_NOBODY, CampaignIsAnonymous, CampaignNotAccepting
from app.domain.errors import DomainError
from app.domain.recipient import RecipientNotFound
from app.operations.instance_keys import AddressKey
from app.operations.recipients import upsert_recipients
from app.operations.responses.campaign_refusals import campaign_refusal, campaign_refusals
from app.operations.responses.insert_batch import Inserted, insert_batch
from app.operations.responses.new_response import NewResponse, Recorded, What
from app.operations.responses.settle_repeats import settle_repeats

REPEATS_OF_DELETED = 3  # an original deleted between our two looks at it sends the answer back to the insert


async def record_responses(
    engine: Engine, connection: asyncpg.Connection, batch: Sequence[NewResponse], *, address_key: AddressKey
) -> list[Recorded | Exception]:
    """The outcome of each answer, in order. Safe to repeat: the same ids are stored once."""
    outcomes: dict[int, Recorded | Exception] = {}
    waiting = await _bring_in_people(engine, batch, outcomes, address_key)
    for _ in range(REPEATS_OF_DELETED):
        if not waiting:
            break
        repeats = await _insert(connection, batch, waiting, outcomes)
        waiting = await _settle(engine, batch, repeats, outcomes)
    return [outcomes.get(place) or _unsettled() for place in range(len(batch))]


async def _bring_in_people(
    engine: Engine, batch: Sequence[NewResponse], outcomes: dict[int, Recorded | Exception], address_key: AddressKey
) -> list[int]:
    """The places whose answer may go on; who could not be brought in, or has no reason to be, is refused here."""
    places = [place for place, response in enumerate(batch) if response.recipient is not None]
    if places:
        hmac_key = await address_key.read()
        async with engine.write() as tx:
            refusals = await campaign_refusals(tx, [batch[place] for place in places])
            refused = {place: refusal for place, refusal in zip(places, refusals, strict=True) if refusal}
            said = {place: one for place in places if (one := batch[place].recipient) and place not in refused}
            people = await upsert_recipients(tx, list(said.values()), now=batch[0].received_at, hmac_key=hmac_key)
        # A campaign that takes no new answers may still be sent one again that it has.
        outcomes |= {place: error for place, error in refused.items() if not isinstance(error, CampaignNotAccepting)}
        for place, person in zip(said, people, strict=True):
            if isinstance(person, DomainError):
                outcomes[place] = person
            else:
                batch[place].recipient_id = person.id
    return [place for place in range(len(batch)) if place not in outcomes]


async def _insert(
    connection: asyncpg.Connection,
    batch: Sequence[NewResponse],
    places: Sequence[int],
    outcomes: dict[int, Recorded | Exception],
) -> list[int]:
    """The places that were not stored and may be here already, also where today nothing new would be taken."""
    repeats = []
    inserted = await insert_batch(connection, [batch[place] for place in places])
    for place, row in zip(places, inserted, strict=True):
        response = batch[place]
        response.slot = row.slot
        response.refusal = _refusal(row, response) if row.refusal is not None else None
        if row.is_stored:
            outcomes[place] = _created(response, row)
        elif response.refusal is None or isinstance(response.refusal, CampaignNotAccepting):
            repeats.append(place)
        else:
            outcomes[place] = response.refusal
    return repeats


async def _settle(
    engine: Engine, batch: Sequence[NewResponse], places: Sequence[int], outcomes: dict[int, Recorded | Exception]
) -> list[int]:
    """The places whose original has vanished meanwhile, and which can be inserted after all."""
    if not places:
        return []
    async with engine.write() as tx:
        settled = await settle_repeats(tx, [batch[place] for place in places])
    vanished = []
    for place, outcome in zip(places, settled, strict=True):
        ended = outcome or batch[place].refusal
        if ended is None:
            vanished.append(place)
        else:
            outcomes[place] = ended
    return vanished


def _created(response: NewResponse, row: Inserted) -> Recorded:
    assert row.survey_version is not None
    assert row.band is not None
    return Recorded(
        What.CREATED, response.id, response.campaign_id, row.survey_version, response.recipient_id,
        response.channel, response.score, row.band, response.comment, response.answered_at, 1,
    )  # fmt: skip


def _refusal(row: Inserted, response: NewResponse) -> DomainError:
    if row.refusal == "recipient_not_found":
        return RecipientNotFound("There is no recipient with this id.", pointer="/recipient_id")
    if row.refusal == CampaignIsAnonymous.code:
        return CampaignIsAnonymous(NAMES_NOBODY, pointer="/recipient_id")
    refusal = campaign_refusal(row.state, row.metric, score=response.score)
    assert refusal is not None, "PostgreSQL and the domain disagree about what a campaign takes"
    return refusal


def _unsettled() -> NoReturn:
    raise AssertionError("an answer was neither stored nor refused")
