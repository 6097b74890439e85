"""Giving and taking back keys. Only hashes of tokens are stored, so each is shown once."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, or_, update

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.tables import api_keys
from app.domain.keys import KeyKind, check_key, check_may_grant, token_text
from app.queries.api_keys import Caller, get_key

USE_IS_NOTED_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    id: UUID
    token: str  # shown this once; only its hash is stored


async def grant_key(
    tx: Tx,
    caller: Caller,
    *,
    kind: KeyKind,
    name: str,
    scopes: Sequence[str],
    allowed_origins: Sequence[str],
    expires_at: datetime | None,
    now: datetime,
) -> IssuedKey:
    """In the caller's workspace, and with no more than the caller's scopes. Raises KeyInvalid, ScopeNotHeld."""
    check_key(kind, scopes=scopes, allowed_origins=allowed_origins, expires_at=expires_at, now=now)
    check_may_grant(caller.scopes, kind=kind, scopes=scopes)
    return await issue_key(
        tx, caller.workspace_id, mode=caller.mode, kind=kind, name=name,
        scopes=scopes, allowed_origins=allowed_origins, expires_at=expires_at, now=now,
    )  # fmt: skip


async def issue_key(  # noqa: PLR0913 - a key is these things
    tx: Tx,
    workspace_id: UUID,
    *,
    mode: str,
    kind: KeyKind,
    name: str,
    scopes: Sequence[str] = ("*",),
    allowed_origins: Sequence[str] = (),
    expires_at: datetime | None = None,
    now: datetime,
) -> IssuedKey:
    token = token_text(kind, mode, secrets.token_bytes(24))
    key_id = new_id(now)
    await tx.execute(
        insert(api_keys).values(
            workspace_id=workspace_id,
            id=key_id,
            kind=kind.value,
            name=name,
            token_hash=hashlib.sha256(token.encode()).digest(),
            hint=token[-4:],
            scopes=list(scopes),
            allowed_origins=list(allowed_origins),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return IssuedKey(key_id, token)


async def revoke_key(tx: Tx, workspace_id: UUID, key_id: UUID, *, now: datetime) -> None:
    """Once revoked it stays so, since when. Raises KeyNotFound."""
    await get_key(tx, workspace_id, key_id)
    await tx.execute(
        update(api_keys)
        .where(api_keys.c.workspace_id == workspace_id, api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def note_use(tx: Tx, caller: Caller, *, now: datetime) -> None:
    """At most once a minute, so that reading a score does not become a write."""
    await tx.execute(
        update(api_keys)
        .where(
            api_keys.c.workspace_id == caller.workspace_id,
            api_keys.c.id == caller.key_id,
            or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < now - USE_IS_NOTED_EVERY),
        )
        .values(last_used_at=now)
    )
