"""What happened to people, after which campaigns may ask them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import ValidationError

from app.api.bulk import refused_row
from app.api.dependencies import Now, ReadTx, RecipientReader, RecipientWriter, Tx, services_of
from app.api.idempotency import Idempotency, each_once
from app.api.openapi.parameters import TAKES_IDEMPOTENCY_KEY
from app.api.pagination import AnyOrder, listing
from app.api.problem_types import refuses
from app.api.recipient_models import REFUSED_PEOPLE, RecipientUpsert
from app.api.routing import router
from app.api.schemas import Listing, Name, RecipientId, TouchpointId
from app.api.touchpoint_models import (
    Touchpoint,
    TouchpointBulk,
    TouchpointBulkReply,
    TouchpointCreate,
    TouchpointRowResult,
)
from app.db import engine as database
from app.domain.asking.touchpoint import NewTouchpoint, RecordedTouchpoint, TouchpointConflict, TouchpointNotFound
from app.domain.errors import DomainError
from app.domain.people.recipient import RecipientInput, RecipientNotFound
from app.domain.people.upserted import Upserted
from app.domain.response import IdempotencyKeyReused
from app.operations.idempotency import IdempotencyKeyInUse
from app.operations.recipient_changes import save_recipients
from app.operations.touchpoints import record_touchpoints
from app.queries import touchpoints as queries
from app.queries.api_keys import Caller

routes = router("touchpoints")

REPEATED = "It was here already."
Refusal = DomainError | ValidationError


@routes.post(
    "/v1/touchpoints",
    status_code=201,
    summary="Record a touchpoint",
    responses={
        200: {"model": Touchpoint, "description": REPEATED},
        **refuses(RecipientNotFound, TouchpointConflict, *REFUSED_PEOPLE),
    },
)
async def record_touchpoint(
    body: TouchpointCreate,
    caller: RecipientWriter,
    once: Idempotency,
    tx: Tx,
    now: Now,
    request: Request,
    response: Response,
) -> Touchpoint:
    """Running campaigns that ask after touchpoints of this name plan an invitation, those that it cancels take theirs
    back."""
    if once.id is not None:
        return await _read(tx, caller, once.id)
    (meant,) = await _meant(tx, caller, [body], request=request, now=now)
    if isinstance(meant, DomainError):
        raise meant
    (recorded,) = await record_touchpoints(tx, caller.workspace_id, [meant], now=now)
    if isinstance(recorded, TouchpointConflict):
        raise recorded
    if not recorded.is_new:
        response.status_code = 200
    return await _read(tx, caller, once.keep(recorded.id))


@routes.post(
    "/v1/touchpoints/bulk",
    summary="Record up to 500 touchpoints",
    responses=refuses(IdempotencyKeyInUse, "idempotency_key_unusable"),
    openapi_extra=TAKES_IDEMPOTENCY_KEY,
)
async def record_touchpoints_in_bulk(
    body: TouchpointBulk, caller: RecipientWriter, tx: Tx, now: Now, request: Request
) -> TouchpointBulkReply:
    """In order. Each row has an end of its own: one that is rejected holds up nobody. Sent again under the same
    Idempotency-Key, with the same rows in the same order, it records those that are not here yet; the others are
    `repeated`.
    """
    once = await each_once(request, tx, body.touchpoints, now=now)
    ends: dict[int, RecordedTouchpoint | Refusal] = {index: _earlier(end) for index, end in once.ends.items()}
    said: dict[int, TouchpointCreate] = {}
    for index in sorted(set(range(len(body.touchpoints))) - set(ends)):
        try:
            said[index] = TouchpointCreate.model_validate(body.touchpoints[index])
        except ValidationError as error:
            ends[index] = error
    meant = dict(zip(said, await _meant(tx, caller, list(said.values()), request=request, now=now), strict=True))
    ends |= {index: end for index, end in meant.items() if isinstance(end, DomainError)}
    kept = {index: end for index, end in meant.items() if isinstance(end, NewTouchpoint)}
    recorded = await record_touchpoints(tx, caller.workspace_id, list(kept.values()), now=now)
    made = dict(zip(kept, recorded, strict=True))
    await once.keep(tx, {index: end.id for index, end in made.items() if isinstance(end, RecordedTouchpoint)}, now=now)
    ends |= made
    return _bulk_reply([_row_result(index, ends[index]) for index in range(len(body.touchpoints))])


@routes.get("/v1/touchpoints", response_model=Listing[Touchpoint], summary="List touchpoints")
async def list_touchpoints(
    caller: RecipientReader,
    tx: ReadTx,
    page: AnyOrder,
    request: Request,
    response: Response,
    recipient_id: RecipientId | None = None,
    name: Name | None = None,
    external_id: Name | None = None,
) -> Mapping[str, Any]:
    wanted = queries.TouchpointFilter(recipient_id, name, external_id)
    found = await queries.list_touchpoints(tx, caller.workspace_id, wanted, page)
    return listing(request, response, found, [Touchpoint.model_validate(dict(row)) for row in found.rows])


@routes.get("/v1/touchpoints/{touchpoint_id}", summary="Read a touchpoint", responses=refuses(TouchpointNotFound))
async def get_touchpoint(touchpoint_id: TouchpointId, caller: RecipientReader, tx: ReadTx) -> Touchpoint:
    return await _read(tx, caller, touchpoint_id)


async def _meant(
    tx: database.Tx, caller: Caller, said: Sequence[TouchpointCreate], *, request: Request, now: Now
) -> list[NewTouchpoint | DomainError]:
    """With the people they name found or made."""
    brought = {place: _person(one.recipient, caller) for place, one in enumerate(said) if one.recipient is not None}
    readable = {place: person for place, person in brought.items() if isinstance(person, RecipientInput)}
    refused = {place: person for place, person in brought.items() if isinstance(person, DomainError)}
    hmac_key = await services_of(request).address_key.read()
    saved = await save_recipients(tx, caller.workspace_id, list(readable.values()), now=now, hmac_key=hmac_key)
    people = {**refused, **dict(zip(readable, saved, strict=True))}
    named = [one.recipient_id for one in said if one.recipient_id is not None]
    known = await queries.known_recipients(tx, caller.workspace_id, named) if named else set()
    return [_touchpoint(one, people.get(place, one.recipient_id), known, now=now) for place, one in enumerate(said)]


def _person(said: RecipientUpsert, caller: Caller) -> RecipientInput | DomainError:
    try:
        return said.said(caller.workspace_id)
    except DomainError as error:
        return error


def _touchpoint(
    said: TouchpointCreate, person: Upserted | DomainError | UUID | None, known: set[UUID], *, now: Now
) -> NewTouchpoint | DomainError:
    if isinstance(person, DomainError):
        return person
    recipient_id = person.id if isinstance(person, Upserted) else person
    if recipient_id is None or not (isinstance(person, Upserted) or recipient_id in known):
        return RecipientNotFound("There is no such recipient.", pointer="/recipient_id")
    return NewTouchpoint(
        recipient_id, said.name, said.occurred_at or now, said.external_id, said.properties,
        is_timed=said.occurred_at is not None,
    )  # fmt: skip


def _earlier(end: UUID | IdempotencyKeyReused) -> RecordedTouchpoint | IdempotencyKeyReused:
    return RecordedTouchpoint(end, is_new=False) if isinstance(end, UUID) else end


def _bulk_reply(results: list[TouchpointRowResult]) -> TouchpointBulkReply:
    counts = Counter(result.outcome or "rejected" for result in results)
    return TouchpointBulkReply(
        created=counts["created"], repeated=counts["repeated"], rejected=counts["rejected"], results=results
    )


def _row_result(index: int, end: RecordedTouchpoint | Refusal) -> TouchpointRowResult:
    if not isinstance(end, RecordedTouchpoint):
        return TouchpointRowResult(index=index, **refused_row(end))
    status, outcome = (201, "created") if end.is_new else (200, "repeated")
    return TouchpointRowResult.model_validate({"index": index, "status": status, "id": end.id, "outcome": outcome})


async def _read(tx: database.Tx | database.ReadTx, caller: Caller, touchpoint_id: UUID) -> Touchpoint:
    return Touchpoint.model_validate(dict(await queries.get_touchpoint(tx, caller.workspace_id, touchpoint_id)))
