"""Logging in for all processes: whoever finds nothing goes, the others wait for what they bring.

Whoever goes takes the settings as they are then: a refresh token that was replaced meanwhile must not be used again.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, Protocol
from uuid import UUID, uuid4

from app.db.again import in_transaction_by_all_means
from app.db.engine import Engine, Tx
from app.db.vault import Vault
from app.domain.connectors.protocol import Access
from app.domain.webhooks.attempts import Outcome
from app.domain.webhooks.webhook_endpoint import WebhookEndpointNotFound
from app.operations.accesses import Turn, digest_of, forget_access, give_up_turn, share_access, take_turn
from app.operations.refresh_tokens import keep_refresh_token
from app.queries.webhook_endpoints import lock_endpoint

LOOK_AGAIN_SECONDS = 0.2
KEPT_WITHIN_SECONDS = 30.0  # a refresh token that is lost locks us out until somebody grants access anew

StoredSettings = Mapping[str, Any]  # of a connector, with what is secret among them
LogIn = Callable[[StoredSettings], Awaitable[Access | Outcome]]


class Endpoint(Protocol):
    @property
    def workspace_id(self) -> UUID: ...
    @property
    def id(self) -> UUID: ...


class OthersLogIn(Exception):
    """And took longer than we had; or there is nothing any more to log in for."""


async def log_in_for_all(
    endpoint: Endpoint, log_in: LogIn, *, engine: Engine, vault: Vault, ends_at: float
) -> Access | Outcome:
    """`ends_at` is on the monotonic clock. Raises OthersLogIn."""
    claim_id = uuid4()
    while (seconds := ends_at - monotonic()) > 0:
        async with engine.write() as tx:
            stored = await _stored(tx, endpoint.workspace_id, endpoint.id)
            turn = await _turn(tx, stored, claim_id, lease_seconds=seconds + LOOK_AGAIN_SECONDS)
        if turn.is_ours:
            return await _log_in(stored, log_in, claim_id, engine=engine, vault=vault)
        if turn.sealed is not None:
            opened = json.loads(vault.open(turn.sealed, workspace_id=endpoint.workspace_id, row_id=endpoint.id))
            return Access(opened["token"], opened["base_url"], turn.seconds)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    raise OthersLogIn


async def forget_for_all(endpoint: Endpoint, access: Access, *, engine: Engine) -> None:
    async with engine.write() as tx:
        await forget_access(tx, endpoint.workspace_id, endpoint.id, token=access.token)


async def _stored(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> dict[str, Any]:
    """Locked first, so that whoever waited for somebody's log-in sees what that has replaced. Raises OthersLogIn."""
    try:
        return await lock_endpoint(tx, workspace_id, endpoint_id)
    except WebhookEndpointNotFound as error:
        raise OthersLogIn from error


async def _turn(tx: Tx, stored: Mapping[str, Any], claim_id: UUID, *, lease_seconds: float) -> Turn:
    digest = digest_of(stored["settings"], stored["credentials"])
    place = stored["workspace_id"], stored["id"]
    return await take_turn(tx, *place, digest=digest, claim_id=claim_id, lease_seconds=lease_seconds)


async def _log_in(
    stored: Mapping[str, Any], log_in: LogIn, claim_id: UUID, *, engine: Engine, vault: Vault
) -> Access | Outcome:
    place = {"workspace_id": stored["workspace_id"], "row_id": stored["id"]}
    secret = json.loads(vault.open(stored["credentials"], **place))
    try:
        got = await log_in({**stored["settings"], **secret})
    except Exception:  # of ours; the next need not wait for our lease to end
        async with engine.write() as tx:
            await give_up_turn(tx, stored["workspace_id"], stored["id"], claim_id=claim_id)
        raise
    if not isinstance(got, Access):
        async with engine.write() as tx:
            await give_up_turn(tx, stored["workspace_id"], stored["id"], claim_id=claim_id)
        return got
    share = partial(_share, vault=vault, stored=stored, access=got, claim_id=claim_id, logged_in_with=secret)
    await in_transaction_by_all_means(engine, share, seconds=KEPT_WITHIN_SECONDS)
    return got


async def _share(
    tx: Tx,
    *,
    vault: Vault,
    stored: Mapping[str, Any],
    access: Access,
    claim_id: UUID,
    logged_in_with: Mapping[str, Any],
) -> None:
    """With the processes that wait for it, once a refresh token that came with it is kept. Raises OthersLogIn."""
    workspace_id, endpoint_id, credentials = stored["workspace_id"], stored["id"], stored["credentials"]
    if access.refresh_token is not None:
        endpoint, used = await _stored(tx, workspace_id, endpoint_id), logged_in_with["refresh_token"]
        kept = await keep_refresh_token(tx, vault, endpoint, used=used, renewed=access.refresh_token)
        credentials = kept or credentials
    opened = json.dumps({"token": access.token, "base_url": access.base_url})
    sealed = vault.seal(opened, workspace_id=workspace_id, row_id=endpoint_id)
    digest = digest_of(stored["settings"], credentials)
    await share_access(tx, workspace_id, endpoint_id, claim_id=claim_id, digest=digest, sealed=sealed, access=access)
