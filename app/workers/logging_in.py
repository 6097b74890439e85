"""Logging in for all processes: whoever finds nothing goes, the others wait for what they bring."""

import asyncio
import json
from time import monotonic
from typing import Protocol
from uuid import UUID, uuid4

from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.connectors.protocol import Access
from app.domain.webhooks.attempts import Outcome
from app.operations.accesses import Turn, digest_of, forget_access, give_up_turn, share_access, take_turn
from app.workers.accesses import LogIn

LOOK_AGAIN_SECONDS = 0.2


class Endpoint(Protocol):
    @property
    def workspace_id(self) -> UUID: ...
    @property
    def id(self) -> UUID: ...
    @property
    def settings(self) -> str: ...
    @property
    def credentials(self) -> bytes | None: ...


class OthersLogIn(Exception):
    """And took longer than we had."""


async def log_in_for_all(
    endpoint: Endpoint, log_in: LogIn, *, engine: Engine, vault: Vault, ends_at: float
) -> Access | Outcome:
    """`ends_at` is on the monotonic clock. Raises OthersLogIn."""
    claim_id = uuid4()
    while (seconds := ends_at - monotonic()) > 0:
        turn = await _turn(endpoint, claim_id, engine=engine, lease_seconds=seconds + LOOK_AGAIN_SECONDS)
        if turn.is_ours:
            return await _log_in(endpoint, log_in, claim_id, engine=engine, vault=vault)
        if turn.sealed is not None:
            opened = json.loads(vault.open(turn.sealed, workspace_id=endpoint.workspace_id, row_id=endpoint.id))
            return Access(opened["token"], opened["base_url"], turn.seconds)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    raise OthersLogIn


async def forget_for_all(endpoint: Endpoint, access: Access, *, engine: Engine) -> None:
    async with engine.write() as tx:
        await forget_access(tx, endpoint.workspace_id, endpoint.id, token=access.token)


async def _turn(endpoint: Endpoint, claim_id: UUID, *, engine: Engine, lease_seconds: float) -> Turn:
    digest = digest_of(endpoint.settings, endpoint.credentials)
    async with engine.write() as tx:
        return await take_turn(
            tx, endpoint.workspace_id, endpoint.id, digest=digest, claim_id=claim_id, lease_seconds=lease_seconds
        )


async def _log_in(
    endpoint: Endpoint, log_in: LogIn, claim_id: UUID, *, engine: Engine, vault: Vault
) -> Access | Outcome:
    place = endpoint.workspace_id, endpoint.id
    got = await log_in()
    async with engine.write() as tx:
        if not isinstance(got, Access):
            await give_up_turn(tx, *place, claim_id=claim_id)
            return got
        said = json.dumps({"token": got.token, "base_url": got.base_url})
        sealed = vault.seal(said, workspace_id=place[0], row_id=place[1])
        await share_access(tx, *place, claim_id=claim_id, sealed=sealed, token=got.token, seconds=got.seconds)
    return got
