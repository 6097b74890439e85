import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, or_, update

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.tables import api_keys, workspaces
from app.domain.errors import NotFound
from app.domain.keys import KeyKind, token_text
from app.queries.api_keys import Caller, find_key

USE_IS_NOTED_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    id: UUID
    token: str  # shown this once; only its hash is stored


class KeyNotFound(NotFound):
    """There is no such API key."""

    code = "api_key_not_found"


@dataclass(frozen=True, slots=True)
class CreatedWorkspace:
    live_id: UUID
    test_id: UUID


async def create_workspace(tx: Tx, name: str, *, time_zone: str, now: datetime) -> CreatedWorkspace:
    """Always a pair: one for real answers and one to try things in."""
    live, test = new_id(now), new_id(now)
    common = {"name": name, "time_zone": time_zone, "created_at": now}
    await tx.execute(
        insert(workspaces),
        [
            {"id": live, "sibling_id": test, "mode": "live", **common},
            {"id": test, "sibling_id": live, "mode": "test", **common},
        ],
    )
    return CreatedWorkspace(live, test)


async def issue_key(  # noqa: PLR0913 - a key is these things
    tx: Tx,
    workspace_id: UUID,
    *,
    mode: str,
    kind: KeyKind,
    name: str,
    scopes: tuple[str, ...] = ("*",),
    allowed_origins: tuple[str, ...] = (),
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
    if await find_key(tx, workspace_id, key_id) is None:
        raise KeyNotFound("There is no API key with this id.")
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
