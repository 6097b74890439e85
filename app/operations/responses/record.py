"""Recording answers, many at a time.

1. bring in the people     recipients sent along with their answer are created or updated
2. insert the batch        one statement: answers, counters, events (insert_batch.py)
3. settle the repeats      what was not inserted is already there: the same again, amended, or refused
"""

from collections.abc import Sequence

import asyncpg

from app.db.engine import Engine
from app.domain.campaign import NAMES_NOBODY, CampaignIsAnonymous, CampaignNotAccepting
from app.domain.errors import DomainError, Overloaded
from app.domain.people.recipient import RecipientNotFound
from app.domain.response import ScoreMissing
from app.operations.instance_keys import AddressKey
from app.operations.responses.bring_in_people import bring_in_people
from app.operations.responses.campaign_refusals import campaign_refusal
from app.operations.responses.insert_batch import Inserted, insert_batch
from app.operations.responses.new_response import NewResponse, Recorded, What
from app.operations.responses.settle_repeats import settle_repeats

UNLESS_IT_IS_HERE = (CampaignNotAccepting, ScoreMissing)
LOOKS = 3  # at an answer whose original or person goes away each time we have found them
ALWAYS_CHANGING = "What this answer refers to is being deleted and made again at this moment."


async def record_responses(
    engine: Engine,
    connection: asyncpg.Connection,
    batch: Sequence[NewResponse],
    *,
    address_key: AddressKey,
    lock_timeout: str,
) -> list[Recorded | Exception]:
    """The outcome of each answer, in order. Safe to repeat: the same ids are stored once.

    `lock_timeout` of the transactions around the insert, which has that of its connection.
    """
    outcomes: dict[int, Recorded | Exception] = {}
    waiting = list(range(len(batch)))
    for _ in range(LOOKS):
        arrivals = await bring_in_people(engine, batch, waiting, address_key=address_key, lock_timeout=lock_timeout)
        outcomes |= arrivals.refused
        repeats, erased = await _insert(connection, batch, arrivals.fresh, outcomes)
        vanished = await _settle(engine, batch, [*arrivals.repeats, *repeats], outcomes, lock_timeout=lock_timeout)
        waiting = sorted([*arrivals.later, *erased, *vanished])
        if not waiting:
            break
    return [outcomes.get(place) or Overloaded(ALWAYS_CHANGING) for place in range(len(batch))]


async def _insert(
    connection: asyncpg.Connection,
    batch: Sequence[NewResponse],
    places: Sequence[int],
    outcomes: dict[int, Recorded | Exception],
) -> tuple[list[int], list[int]]:
    """The places that were not stored and may be here already, also where today nothing new would be taken.

    And those whose person, sent along and brought in, was erased before the answer came.
    """
    repeats: list[int] = []
    erased: list[int] = []
    inserted = await insert_batch(connection, [batch[place] for place in places]) if places else []
    for place, row in zip(places, inserted, strict=True):
        response = batch[place]
        response.slot = row.slot
        response.refusal = _refusal(row, response) if row.refusal is not None else None
        if row.is_stored:
            outcomes[place] = _created(response, row)
        elif response.refusal is None or isinstance(response.refusal, UNLESS_IT_IS_HERE):
            repeats.append(place)
        elif response.recipient is not None and isinstance(response.refusal, RecipientNotFound):
            erased.append(place)
        else:
            outcomes[place] = response.refusal
    return repeats, erased


async def _settle(
    engine: Engine,
    batch: Sequence[NewResponse],
    places: Sequence[int],
    outcomes: dict[int, Recorded | Exception],
    *,
    lock_timeout: str,
) -> list[int]:
    """The places whose original has vanished meanwhile, and which can be inserted after all."""
    if not places:
        return []
    async with engine.write(lock_timeout=lock_timeout) as tx:
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
    assert response.score is not None
    return Recorded(
        What.CREATED, response.id, response.campaign_id, row.survey_version, response.recipient_id,
        response.channel, response.score, row.band, response.comment, response.answered_at, 1,
    )  # fmt: skip


def _refusal(row: Inserted, response: NewResponse) -> DomainError:
    if row.refusal == "recipient_not_found":
        return RecipientNotFound("There is no recipient with this id.", pointer="/recipient_id")
    if row.refusal == ScoreMissing.code:
        return ScoreMissing("Send the score with the first part of an answer.", pointer="/score")
    if row.refusal == CampaignIsAnonymous.code:
        return CampaignIsAnonymous(NAMES_NOBODY, pointer="/recipient_id")
    refusal = campaign_refusal(row.state, row.metric, score=response.score)
    assert refusal is not None, "PostgreSQL and the domain disagree about what a campaign takes"
    return refusal
