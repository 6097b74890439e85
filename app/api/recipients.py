"""The people who may be asked."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from app.api.bulk import refused_row
from app.api.dependencies import Now, ReadTx, RecipientReader, RecipientWriter, Tx, services_of
from app.api.idempotency import Idempotency
from app.api.pagination import AnyOrder, listing
from app.api.problem_types import refuses
from app.api.recipient_models import (
    REFUSED_PEOPLE,
    RecipientBulk,
    RecipientBulkReply,
    RecipientChange,
    RecipientReply,
    RecipientRowResult,
    RecipientUpsert,
)
from app.api.routing import router
from app.api.schemas import AccountId, Listing, Name, storable
from app.db import engine as database
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.people.mailbox import one_spelling
from app.domain.people.recipient import IDENTIFIERS, RecipientInput, RecipientNotFound
from app.domain.people.upserted import Change, Upserted
from app.operations import erasure
from app.operations import recipient_changes as operations
from app.operations.recipients import Outcome
from app.queries import recipients as queries
from app.queries.api_keys import Caller

routes = router("recipients")

UPDATED = "Updated, or already so."


def _a_reference(text: str) -> str:
    kind, colon, value = text.partition(":")
    if ids.parsed("recipient", text) is None and not (colon and kind in IDENTIFIERS and value):
        raise ValueError("should be rcpt_ and 32 hexadecimal digits, or external_id:…, email:… or phone:…")
    return storable(text)


RecipientReference = Annotated[
    str,
    StringConstraints(max_length=300),
    AfterValidator(_a_reference),
    Field(
        description="Its id, or one of their identifiers: `external_id:…`, `email:…`, `phone:…`. One with a slash "
        "is found by `GET /v1/recipients?external_id=…`.",
        examples=["rcpt_0198c1f2a7b3708c9d4e5f60718293a4", "email:ada@example.com"],
        json_schema_extra={"pattern": r"^(rcpt_[0-9a-f]{32}|(external_id|email|phone):[\s\S]+)$"},
    ),
]


@routes.post(
    "/v1/recipients",
    status_code=201,
    summary="Create or update a recipient",
    responses={200: {"model": RecipientReply, "description": UPDATED}, **refuses(*REFUSED_PEOPLE)},
)
async def upsert_recipient(
    body: RecipientUpsert,
    caller: RecipientWriter,
    once: Idempotency,
    tx: Tx,
    now: Now,
    request: Request,
    response: Response,
) -> RecipientReply:
    """201: created; 200: updated, or already so. Identifiers of two different people are a 409."""
    if once.id is not None:
        return await _read(tx, caller, once.id)
    done = await _save(tx, caller, body.said(caller.workspace_id), request, now)
    if done.change is not Change.CREATED:
        response.status_code = 200
    return await _read(tx, caller, once.keep(done.id))


@routes.post("/v1/recipients/bulk", summary="Create or update up to 500 recipients")
async def upsert_recipients_in_bulk(
    body: RecipientBulk, caller: RecipientWriter, tx: Tx, now: Now, request: Request
) -> RecipientBulkReply:
    """In order. Each row has an end of its own: one that is refused changes nothing and holds up nobody."""
    refused: dict[int, DomainError | ValidationError] = {}
    said: dict[int, RecipientInput] = {}
    for index, item in enumerate(body.recipients):
        try:
            said[index] = RecipientUpsert.model_validate(item).said(caller.workspace_id)
        except (ValidationError, DomainError) as error:
            refused[index] = error
    done = await operations.save_recipients(
        tx, caller.workspace_id, list(said.values()), now=now, hmac_key=await _hmac_key(request)
    )
    ends = dict(zip(said, done, strict=True)) | refused
    return _bulk_reply([ends[index] for index in range(len(body.recipients))])


def _bulk_reply(ends: list[Outcome | ValidationError]) -> RecipientBulkReply:
    results = [_row_result(index, end) for index, end in enumerate(ends)]
    counts = Counter(result.outcome or "rejected" for result in results)
    return RecipientBulkReply(**{name: counts[name] for name in (*Change, "rejected")}, results=results)


def _row_result(index: int, end: Outcome | ValidationError) -> RecipientRowResult:
    if isinstance(end, Upserted):
        status = 201 if end.change is Change.CREATED else 200
        return RecipientRowResult(index=index, status=status, id=end.id, outcome=end.change.value)
    return RecipientRowResult(index=index, **refused_row(end))


# Not a Name with a pattern: behind a validator of ours, the contract would not show it.
PropertyPair = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern="^[^:]+:"),
    AfterValidator(storable),
]


async def _filter(
    email: Name | None = None,
    external_id: Name | None = None,
    account_id: AccountId | None = None,
    q: Annotated[Name | None, Query(description="How name, e-mail or external id begin.")] = None,
    property: Annotated[  # noqa: A002 - its name in the URL
        list[PropertyPair] | None,
        Query(max_length=10, description="`plan:pro`; may be given several times, and all must hold."),
    ] = None,
    is_unsubscribed: bool | None = None,  # noqa: FBT001 - a query parameter
) -> queries.RecipientFilter:
    return queries.RecipientFilter(
        email=one_spelling(email) if email else None,
        external_id=external_id,
        account_id=account_id,
        starts_with=q,
        properties=tuple((key, value) for key, _, value in (pair.partition(":") for pair in property or ())),
        is_unsubscribed=is_unsubscribed,
    )


@routes.get("/v1/recipients", response_model=Listing[RecipientReply], summary="List recipients")
async def list_recipients(
    caller: RecipientReader,
    tx: ReadTx,
    page: AnyOrder,
    wanted: Annotated[queries.RecipientFilter, Depends(_filter)],
    request: Request,
    response: Response,
) -> Mapping[str, Any]:
    found = await queries.list_recipients(tx, caller.workspace_id, wanted, page)
    return listing(request, response, found, [RecipientReply.of(row) for row in found.rows])


@routes.get("/v1/recipients/{recipient_id}", summary="Read a recipient", responses=refuses(RecipientNotFound))
async def get_recipient(recipient_id: RecipientReference, caller: RecipientReader, tx: ReadTx) -> RecipientReply:
    return await _read(tx, caller, await _meant(tx, caller, recipient_id))


@routes.patch(
    "/v1/recipients/{recipient_id}", summary="Change a recipient", responses=refuses(RecipientNotFound, *REFUSED_PEOPLE)
)
async def update_recipient(
    recipient_id: RecipientReference, body: RecipientChange, caller: RecipientWriter, tx: Tx, now: Now, request: Request
) -> RecipientReply:
    meant = await _meant(tx, caller, recipient_id)
    await _save(tx, caller, body.said(caller.workspace_id, recipient_id=meant), request, now)
    return await _read(tx, caller, meant)


@routes.post(
    "/v1/recipients/{recipient_id}/unsubscribe",
    summary="Never ask a recipient again",
    responses=refuses(RecipientNotFound),
)
async def unsubscribe_recipient(
    recipient_id: RecipientReference, caller: RecipientWriter, tx: Tx, now: Now
) -> RecipientReply:
    """In no campaign and through no channel. It outlives the recipient: the address stays unsubscribed."""
    meant = await _meant(tx, caller, recipient_id)
    await operations.unsubscribe_recipient(tx, caller.workspace_id, meant, now=now)
    return await _read(tx, caller, meant)


@routes.delete(
    "/v1/recipients/{recipient_id}", status_code=204, summary="Erase a recipient", responses=refuses(RecipientNotFound)
)
async def erase_recipient(
    recipient_id: RecipientReference, caller: RecipientWriter, tx: Tx, now: Now, request: Request
) -> None:
    """For good: identifiers, properties, comments, and what events and deliveries say about them.

    Scores keep counting the answers. That an address was unsubscribed, and when it was last asked, is kept as a keyed
    digest, so that nobody is asked again because somebody uploads the address once more.
    """
    meant = await _meant(tx, caller, recipient_id)
    await erasure.erase_recipient(tx, caller.workspace_id, meant, now=now, hmac_key=await _hmac_key(request))


async def _save(tx: database.Tx, caller: Caller, said: RecipientInput, request: Request, now: Now) -> Upserted:
    (outcome,) = await operations.save_recipients(
        tx, caller.workspace_id, [said], now=now, hmac_key=await _hmac_key(request)
    )
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


async def _hmac_key(request: Request) -> bytes:
    return await services_of(request).address_key.read()


async def _meant(tx: database.Tx | database.ReadTx, caller: Caller, reference: str) -> UUID:
    recipient_id = ids.parsed("recipient", reference)
    if recipient_id is not None:
        return recipient_id
    kind, _, value = reference.partition(":")
    value = one_spelling(value) if kind == "email" else value.strip()
    return await queries.get_recipient_id(tx, caller.workspace_id, kind, value)


async def _read(tx: database.Tx | database.ReadTx, caller: Caller, recipient_id: UUID) -> RecipientReply:
    return RecipientReply.of(await queries.get_recipient(tx, caller.workspace_id, recipient_id))
