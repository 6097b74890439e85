"""Who looks at the dashboard, with what their key may do now, whatever it could when they logged in."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text

from app.db.engine import ReadTx, Tx
from app.domain.session import ENDS_AFTER, IDLE_AFTER
from app.queries.api_keys import Caller


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is looking at a page: somebody who logged in with a key, and what pages say of them and their workspace."""

    session_id: UUID
    caller: Caller
    seen_at: datetime
    key_name: str
    key_hint: str
    workspace_name: str
    time_zone: str


async def find_visitor(tx: ReadTx | Tx, token: str, *, now: datetime) -> Visitor | None:
    """None for a session that is unknown or has ended, or whose key has been revoked or has expired."""
    found = await tx.execute(
        _FIND_VISITOR,
        {
            "token_hash": hashlib.sha256(token.encode()).digest(),
            "now": now,
            "idle_since": now - IDLE_AFTER,
            "began_after": now - ENDS_AFTER,
        },
    )
    row = found.mappings().one_or_none()
    return None if row is None else _visitor(row)


def _visitor(row: RowMapping) -> Visitor:
    told = {name: row[name] for name in ("seen_at", "key_name", "key_hint", "workspace_name", "time_zone")}
    return Visitor(row["session_id"], Caller.of(row), **told)


_FIND_VISITOR = text("""
    SELECT s.id AS session_id, s.seen_at, k.workspace_id, w.mode, k.id AS key_id, k.kind, k.scopes, k.allowed_origins,
        k.expires_at, k.name AS key_name, k.hint AS key_hint, w.name AS workspace_name, w.time_zone
    FROM dashboard_sessions s
    JOIN api_keys k ON k.workspace_id = s.workspace_id AND k.id = s.api_key_id
    JOIN workspaces w ON w.id = s.workspace_id
    WHERE s.token_hash = :token_hash AND s.seen_at > :idle_since AND s.created_at > :began_after
        AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
""")
