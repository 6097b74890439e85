"""What one process got by logging in is what all use, and only one logs in at a time.

Services ration log-ins, and some take back what they gave before. Nobody holds a lock while a service is asked: whose
turn it is stands in a row, until a lease ends.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.connectors.protocol import Access


@dataclass(frozen=True, slots=True)
class Turn:
    """Ours to log in; or what somebody else got, and for how many seconds it is good; or neither, while they do."""

    is_ours: bool = False
    sealed: bytes | None = None
    seconds: float = 0.0


async def take_turn(
    tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, digest: bytes, claim_id: UUID, lease_seconds: float
) -> Turn:
    """`digest` is of the settings: what was got with others is worth nothing."""
    place = workspace_id, endpoint_id, digest
    if await fetch(tx, _TAKE, *place, claim_id, lease_seconds):
        return Turn(is_ours=True)
    found = await fetch(tx, _FIND, *place)
    return Turn(sealed=found[0]["sealed"], seconds=found[0]["seconds"]) if found else Turn()


async def share_access(
    tx: Tx,
    workspace_id: UUID,
    endpoint_id: UUID,
    *,
    claim_id: UUID,
    digest: bytes,
    sealed: bytes,
    access: Access,
) -> None:
    """`digest`: of the settings as they are now, of which logging in may have replaced a part."""
    await fetch(tx, _SHARE, workspace_id, endpoint_id, claim_id, sealed, _digest(access.token), access.seconds, digest)


async def give_up_turn(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, claim_id: UUID) -> None:
    await fetch(tx, _GIVE_UP, workspace_id, endpoint_id, claim_id)


async def forget_access(tx: Tx, workspace_id: UUID, endpoint_id: UUID, *, token: str) -> None:
    """One that was refused, unless there is a newer one already."""
    await fetch(tx, _FORGET, workspace_id, endpoint_id, _digest(token))


def digest_of(settings: Mapping[str, Any], credentials: bytes | None) -> bytes:
    return sha256(json.dumps(settings, sort_keys=True).encode() + b"\0" + (credentials or b"")).digest()


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


_TAKE = """
    INSERT INTO accesses AS a (workspace_id, id, digest, claim_id, claimed_until)
    VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
    ON CONFLICT (workspace_id, id) DO UPDATE
    SET digest = excluded.digest, claim_id = excluded.claim_id, claimed_until = excluded.claimed_until, sealed = NULL,
        ends_at = NULL
    WHERE (a.digest <> excluded.digest OR a.ends_at IS NULL OR a.ends_at <= clock_timestamp())
        AND (a.claimed_until IS NULL OR a.claimed_until <= clock_timestamp())
    RETURNING 1
"""
_FIND = """
    SELECT sealed, extract(epoch FROM ends_at - clock_timestamp())::float8 AS seconds FROM accesses
    WHERE workspace_id = $1 AND id = $2 AND digest = $3 AND sealed IS NOT NULL AND ends_at > clock_timestamp()
"""
_SHARE = """
    UPDATE accesses SET sealed = $4, token_digest = $5, ends_at = clock_timestamp() + make_interval(secs => $6),
        claim_id = NULL, claimed_until = NULL, digest = $7
    WHERE workspace_id = $1 AND id = $2 AND claim_id = $3
"""
_GIVE_UP = """
    UPDATE accesses SET claim_id = NULL, claimed_until = NULL WHERE workspace_id = $1 AND id = $2 AND claim_id = $3
"""
_FORGET = """
    UPDATE accesses SET sealed = NULL, ends_at = NULL WHERE workspace_id = $1 AND id = $2 AND token_digest = $3
"""
