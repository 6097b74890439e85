"""API keys: secret ones for servers, publishable ones for browsers. A key is shown once."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request as HttpRequest
from fastapi import Response
from pydantic import AfterValidator, Field

from app.api.dependencies import KeyReader, KeyWriter, Now, ReadTx, Tx
from app.api.idempotency import Idempotency
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import ApiKeyId, Instant, Listing, Name, Reply, Request
from app.domain.keys import (
    EVERYTHING,
    LONGEST_ORIGIN,
    SCOPES,
    KeyInvalid,
    KeyKind,
    KeyNotFound,
    ScopeNotHeld,
    masked,
    origin_spelled,
)
from app.operations.api_keys import grant_key, revoke_key
from app.queries.api_keys import Caller, get_key, list_keys

routes = router("API keys")

MOST_ORIGINS = 100


def _known_scope(value: str) -> str:
    if value not in (*SCOPES, EVERYTHING):
        raise ValueError(f"should be one of {', '.join(SCOPES)} or {EVERYTHING}")
    return value


Scope = Annotated[str, AfterValidator(_known_scope), Field(json_schema_extra={"enum": [*SCOPES, EVERYTHING]})]
# As `origin_spelled` has it, but for ports between 10000 and 65535.
ORIGIN_PATTERN = (
    r"^(\*|[A-Za-z][A-Za-z0-9+.-]*://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)"
    r"(:[1-9][0-9]{0,3})?)$"
)
Origin = Annotated[
    str,
    AfterValidator(origin_spelled),
    Field(
        max_length=LONGEST_ORIGIN,
        examples=["https://shop.example"],
        json_schema_extra={"pattern": ORIGIN_PATTERN},
    ),
]


class ApiKeyCreate(Request):
    name: Name
    kind: KeyKind = KeyKind.SECRET
    scopes: list[Scope] = Field([], max_length=50, description="Of a secret key. `*` is every scope, also later ones.")
    allowed_origins: list[Origin] = Field(
        [], max_length=MOST_ORIGINS, description="Of a publishable key: where its widget runs. `*` is every site."
    )
    expires_at: Instant | None = None


class ApiKey(Reply):
    id: ApiKeyId
    kind: KeyKind
    name: str
    hint: str = Field(description="Enough to tell keys apart.", examples=["zt_sk_live_…h3Xq"])
    scopes: list[str]
    allowed_origins: list[str]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="Correct to a minute.")
    revoked_at: Instant | None


class NewApiKey(ApiKey):
    token: str | None = Field(description="The key itself. Shown this once; null in the reply to a repeated call.")


@routes.post("/v1/api-keys", status_code=201, summary="Create a key", responses=refuses(KeyInvalid, ScopeNotHeld))
async def create_api_key(body: ApiKeyCreate, caller: KeyWriter, once: Idempotency, tx: Tx, now: Now) -> NewApiKey:
    """A key can grant only what the key that creates it may do itself."""
    if once.id is not None:
        return NewApiKey(**_shown(caller, await get_key(tx, caller.workspace_id, once.id)), token=None)
    issued = await grant_key(tx, caller, **body.model_dump(), now=now)
    row = await get_key(tx, caller.workspace_id, once.keep(issued.id))
    return NewApiKey(**_shown(caller, row), token=issued.token)


@routes.get("/v1/api-keys", response_model=Listing[ApiKey], summary="List keys, revoked ones too")
async def list_api_keys(
    caller: KeyReader, tx: ReadTx, page: NewestFirst, request: HttpRequest, response: Response
) -> Mapping[str, Any]:
    found = await list_keys(tx, caller.workspace_id, page)
    return listing(request, response, found, [_shown(caller, dict(row)) for row in found.rows])


@routes.get("/v1/api-keys/{api_key_id}", summary="Read a key", responses=refuses(KeyNotFound))
async def get_api_key(api_key_id: ApiKeyId, caller: KeyReader, tx: ReadTx) -> ApiKey:
    return ApiKey(**_shown(caller, await get_key(tx, caller.workspace_id, api_key_id)))


@routes.delete("/v1/api-keys/{api_key_id}", status_code=204, summary="Revoke a key", responses=refuses(KeyNotFound))
async def revoke_api_key(api_key_id: ApiKeyId, caller: KeyWriter, tx: Tx, now: Now) -> None:
    """Refused everywhere within 5 seconds. The key stays listed, with `revoked_at`."""
    await revoke_key(tx, caller.workspace_id, api_key_id, now=now)


def _shown(caller: Caller, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "hint": masked(row["kind"], caller.mode, row["hint"])}
