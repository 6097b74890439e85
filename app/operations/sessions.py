"""Logging in at the dashboard. Only hashes of tokens are stored, so whoever reads the table can be nobody."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, text, update

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import some_of
from app.db.tables import dashboard_sessions
from app.domain.session import ENDS_AFTER
from app.queries.api_keys import Caller
from app.queries.sessions import Visitor

VISITS_ARE_NOTED_EVERY = timedelta(seconds=60)  # looking at a page should not be a write


async def open_session(tx: Tx, caller: Caller, *, now: datetime) -> str:
    """The token for the cookie; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    await tx.execute(
        insert(dashboard_sessions).values(
            workspace_id=caller.workspace_id,
            id=new_id(now),
            api_key_id=caller.key_id,
            token_hash=hashlib.sha256(token.encode()).digest(),
            created_at=now,
            seen_at=now,
        )
    )
    return token


async def note_visit(tx: Tx, visitor: Visitor, *, now: datetime) -> None:
    if visitor.seen_at > now - VISITS_ARE_NOTED_EVERY:
        return
    kept = dashboard_sessions.c
    await tx.execute(
        update(dashboard_sessions)
        .where(kept.workspace_id == visitor.caller.workspace_id, kept.id == visitor.session_id)
        .values(seen_at=now)
    )


async def close_session(tx: Tx, token: str) -> None:
    """Whether or not it is still good."""
    token_hash = hashlib.sha256(token.encode()).digest()
    await tx.execute(delete(dashboard_sessions).where(dashboard_sessions.c.token_hash == token_hash))


async def forget_old_sessions(tx: Tx, *, now: datetime, limit: int = 1_000) -> int:
    """One batch; how many it was. Those of revoked keys too: no longer of use, they end here with the rest."""
    return (await tx.execute(_FORGET, {"before": now - ENDS_AFTER, "limit": limit})).rowcount


_OLD = some_of("dashboard_sessions", "created_at <= :before", limit=":limit")
_FORGET = text(f"DELETE FROM dashboard_sessions WHERE {_OLD}")
