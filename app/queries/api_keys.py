"""Who is asking. A key is found by the hash of its token, which stands nowhere itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import RowMapping, select, text

from app.db.engine import ReadTx, Tx
from app.db.tables import api_keys
from app.domain.keys import EVERYTHING, KeyNotFound
from app.queries.pages import Page, Slice, newest_first


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: one API key of one workspace."""

    workspace_id: UUID
    mode: str
    key_id: UUID
    kind: str
    scopes: frozenset[str]
    allowed_origins: tuple[str, ...]
    expires_at: datetime | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(
            row["workspace_id"], row["mode"], row["key_id"], row["kind"],
            frozenset(row["scopes"]), tuple(row["allowed_origins"]), row["expires_at"],
        )  # fmt: skip

    @property
    def livemode(self) -> bool:
        return self.mode == "live"

    def may(self, scope: str) -> bool:
        return EVERYTHING in self.scopes or scope in self.scopes


async def find_caller(tx: ReadTx | Tx, token_hash: bytes, *, now: datetime) -> Caller | None:
    """None for a token that is unknown, revoked or expired."""
    row = (await tx.execute(_FIND_CALLER, {"token_hash": token_hash, "now": now})).mappings().one_or_none()
    return None if row is None else Caller.of(row)


_FIND_CALLER = text("""
    SELECT k.workspace_id, w.mode, k.id AS key_id, k.kind, k.scopes, k.allowed_origins, k.expires_at
    FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id
    WHERE k.token_hash = :token_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
""")


async def list_keys(tx: ReadTx, workspace_id: UUID, page: Page) -> Slice[RowMapping]:
    return await newest_first(tx, select(api_keys).where(api_keys.c.workspace_id == workspace_id), api_keys, page)


async def get_key(tx: ReadTx | Tx, workspace_id: UUID, key_id: UUID) -> dict[str, Any]:
    """Raises KeyNotFound."""
    query = select(api_keys).where(api_keys.c.workspace_id == workspace_id, api_keys.c.id == key_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise KeyNotFound("There is no API key with this id.")
    return dict(row)
