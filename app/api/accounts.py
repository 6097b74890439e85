"""The companies that recipients belong to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, Field, StringConstraints

from app.api.dependencies import Now, ReadTx, RecipientReader, RecipientWriter, Tx
from app.api.idempotency import Idempotency
from app.api.pagination import AnyOrder, listing
from app.api.problem_types import refuses
from app.api.recipient_models import AccountFields, AccountReply, AccountUpsert
from app.api.routing import router
from app.api.schemas import Listing, Name, storable
from app.db import engine as database
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.people.account import AccountInput, AccountInvalid, AccountNotFound
from app.domain.people.properties import PropertiesInvalid
from app.domain.people.upserted import Change, Upserted
from app.operations.accounts import upsert_accounts
from app.queries import accounts as queries
from app.queries.api_keys import Caller

routes = router("accounts")

UPDATED = "Updated, or already so."


def _a_reference(text: str) -> str:
    kind, _, value = text.partition(":")
    if ids.parsed("account", text) is None and not (kind == "external_id" and value):
        raise ValueError("should be acct_ and 32 hexadecimal digits, or external_id:…")
    return storable(text)


AccountReference = Annotated[
    str,
    StringConstraints(max_length=300),
    AfterValidator(_a_reference),
    Field(
        description="Its id, or `external_id:…`.",
        examples=["acct_0198c1f2a7b3708c9d4e5f60718293a4", "external_id:acme"],
        json_schema_extra={"pattern": r"^(acct_[0-9a-f]{32}|external_id:[\s\S]+)$"},
    ),
]


@routes.post(
    "/v1/accounts",
    status_code=201,
    summary="Create or update an account",
    responses={200: {"model": AccountReply, "description": UPDATED}, **refuses(AccountInvalid, PropertiesInvalid)},
)
async def upsert_account(
    body: AccountUpsert, caller: RecipientWriter, once: Idempotency, tx: Tx, now: Now, response: Response
) -> AccountReply:
    """Found by external_id. 201: created; 200: updated, or already so."""
    if once.id is not None:
        return await _read(tx, caller, once.id)
    done = await _save(tx, body.said(caller.workspace_id), now)
    if done.change is not Change.CREATED:
        response.status_code = 200
    return await _read(tx, caller, once.keep(done.id))


async def _filter(
    external_id: Name | None = None,
    owner: Name | None = None,
    tier: Name | None = None,
    q: Annotated[Name | None, Query(description="How name or external id begin.")] = None,
) -> queries.AccountFilter:
    return queries.AccountFilter(external_id=external_id, owner=owner, tier=tier, starts_with=q)


@routes.get("/v1/accounts", response_model=Listing[AccountReply], summary="List accounts")
async def list_accounts(
    caller: RecipientReader,
    tx: ReadTx,
    page: AnyOrder,
    wanted: Annotated[queries.AccountFilter, Depends(_filter)],
    request: Request,
    response: Response,
) -> Mapping[str, Any]:
    found = await queries.list_accounts(tx, caller.workspace_id, wanted, page)
    return listing(request, response, found, [AccountReply.model_validate(dict(row)) for row in found.rows])


@routes.get("/v1/accounts/{account_id}", summary="Read an account", responses=refuses(AccountNotFound))
async def get_account(account_id: AccountReference, caller: RecipientReader, tx: ReadTx) -> AccountReply:
    return await _read(tx, caller, await _meant(tx, caller, account_id))


@routes.patch(
    "/v1/accounts/{account_id}",
    summary="Change an account",
    responses=refuses(AccountNotFound, AccountInvalid, PropertiesInvalid),
)
async def update_account(
    account_id: AccountReference, body: AccountFields, caller: RecipientWriter, tx: Tx, now: Now
) -> AccountReply:
    meant = await _meant(tx, caller, account_id)
    external_id = (await queries.get_account(tx, caller.workspace_id, meant))["external_id"]
    await _save(tx, body.said_of(caller.workspace_id, external_id), now)
    return await _read(tx, caller, meant)


async def _save(tx: database.Tx, said: AccountInput, now: datetime) -> Upserted:
    (outcome,) = await upsert_accounts(tx, [said], now=now)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


async def _meant(tx: database.Tx | database.ReadTx, caller: Caller, reference: str) -> UUID:
    account_id = ids.parsed("account", reference)
    if account_id is not None:
        return account_id
    return await queries.get_account_id(tx, caller.workspace_id, reference.partition(":")[2].strip())


async def _read(tx: database.Tx | database.ReadTx, caller: Caller, account_id: UUID) -> AccountReply:
    return AccountReply.model_validate(dict(await queries.get_account(tx, caller.workspace_id, account_id)))
