"""Mail sources come and go; the address of one is told once."""

import os
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch, some_of
from app.db.tables import mail_sources, sns_posts
from app.db.vault import Vault
from app.domain.mail.mail_events.mailgun import OLDEST
from app.domain.mail.mail_source import (
    KEY_BYTES,
    MOST_SOURCES,
    MailSourceKind,
    MailSourceNotFound,
    TooManyMailSources,
    check_source,
    key_digest,
    key_text,
)
from app.queries.mail_sources import count_sources

AT_ONCE, FORGOTTEN_AT_ONCE = 50, 5_000
LOOKED_INTO, LONGEST_WAIT = timedelta(minutes=1), timedelta(days=1)


class OpenedSource(NamedTuple):
    id: UUID
    key: str


async def create_source(
    tx: Tx,
    workspace_id: UUID,
    *,
    kind: MailSourceKind,
    name: str,
    secret: str | None,
    topic_arn: str | None,
    vault: Vault,
    now: datetime,
) -> OpenedSource:
    """Raises MailSourceInvalid, TooManyMailSources."""
    check_source(kind, secret=secret, topic_arn=topic_arn)
    if await count_sources(tx, workspace_id) >= MOST_SOURCES:
        raise TooManyMailSources(f"There are {MOST_SOURCES} already; delete one that is no longer heard of.")
    opened = OpenedSource(new_id(now), key_text(os.urandom(KEY_BYTES)))
    sealed = vault.seal(secret, workspace_id=workspace_id, row_id=opened.id) if secret else None
    row = {
        "workspace_id": workspace_id, "id": opened.id, "kind": kind.value, "name": name,
        "key_hash": key_digest(opened.key), "secret": sealed, "topic_arn": topic_arn, "created_at": now,
    }  # fmt: skip
    await tx.execute(insert(mail_sources).values(row))
    return opened


async def delete_source(tx: Tx, workspace_id: UUID, source_id: UUID) -> None:
    """What it posts from now on is refused. Raises MailSourceNotFound."""
    posts, sources = sns_posts.c, mail_sources.c
    await fetch(tx, _LOCK, workspace_id, source_id)  # before its posts, as by whoever hears of it or looks into them
    await tx.execute(delete(sns_posts).where(posts.workspace_id == workspace_id, posts.source_id == source_id))
    gone = await tx.execute(delete(mail_sources).where(sources.workspace_id == workspace_id, sources.id == source_id))
    if not gone.rowcount:
        raise MailSourceNotFound("There is no mail source with this id.")


async def hold_source(tx: Tx, workspace_id: UUID, source_id: UUID) -> bool:
    """Whether it is still there; then it stays until the transaction ends."""
    return bool(await fetch(tx, _HOLD, workspace_id, source_id))


async def note_heard(tx: Tx, workspace_id: UUID, source_id: UUID, *, now: datetime) -> None:
    await fetch(tx, _NOTE_HEARD, workspace_id, source_id, now)


async def take_mail_token(tx: Tx, workspace_id: UUID, digest: bytes, *, now: datetime) -> bool:
    """Whether nobody has taken it before. One who is about to is waited for: only if they succeed was it taken."""
    return bool(await fetch(tx, _TAKE_ONCE, workspace_id, digest, now))


async def forget_mail_tokens(tx: Tx, *, now: datetime) -> int:
    """One batch; says how many. A token that was signed in our future is good for twice as long."""
    return len(await fetch(tx, _FORGET, now - 2 * OLDEST, FORGOTTEN_AT_ONCE))


async def keep_sns_post(tx: Tx, workspace_id: UUID, source_id: UUID, *, body: str, now: datetime) -> None:
    await fetch(tx, _KEEP_POST, workspace_id, new_id(now), source_id, body, now)


class SnsPost(NamedTuple):
    workspace_id: UUID
    id: UUID
    source_id: UUID
    body: str
    topic_arn: str | None
    created_at: datetime


async def claim_sns_posts(tx: Tx, *, now: datetime) -> list[SnsPost]:
    """For a minute; whoever dies with them leaves them to the next. What nobody could look into for a day goes."""
    await fetch(tx, _DROP_OLD_POSTS, now - LONGEST_WAIT)
    return [SnsPost(*row.values()) for row in await fetch(tx, _CLAIM_POSTS, now, now + LOOKED_INTO, AT_ONCE)]


async def drop_sns_post(tx: Tx, post: SnsPost) -> None:
    await fetch(tx, "DELETE FROM sns_posts WHERE workspace_id = $1 AND id = $2", post.workspace_id, post.id)


async def pin_topic(tx: Tx, post: SnsPost, topic_arn: str) -> None:
    """The first that confirms itself; another one later is somebody else's."""
    await fetch(tx, _PIN_TOPIC, post.workspace_id, post.source_id, topic_arn)


_LOCK = "SELECT 1 FROM mail_sources WHERE workspace_id = $1 AND id = $2 FOR UPDATE"
_HOLD = "SELECT 1 FROM mail_sources WHERE workspace_id = $1 AND id = $2 FOR KEY SHARE"
_CLAIM_POSTS = """
    WITH due AS MATERIALIZED (
        SELECT workspace_id, id FROM sns_posts WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE sns_posts p SET due_at = $2 FROM due, mail_sources s
    WHERE p.workspace_id = due.workspace_id AND p.id = due.id
        AND s.workspace_id = p.workspace_id AND s.id = p.source_id
    RETURNING p.workspace_id, p.id, p.source_id, p.body, s.topic_arn, p.created_at
"""
_TAKE_ONCE = """
    INSERT INTO mail_tokens (workspace_id, digest, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1
"""
_FORGET = f"DELETE FROM mail_tokens WHERE {some_of('mail_tokens', 'created_at <= $1', limit='$2')} RETURNING 1"
_DROP_OLD_POSTS = "DELETE FROM sns_posts WHERE created_at < $1"
_PIN_TOPIC = "UPDATE mail_sources SET topic_arn = $3 WHERE workspace_id = $1 AND id = $2 AND topic_arn IS NULL"
_NOTE_HEARD = """
    UPDATE mail_sources SET heard_at = $3
    WHERE workspace_id = $1 AND id = $2 AND (heard_at IS NULL OR heard_at < $3::timestamptz - interval '1 minute')
"""
_KEEP_POST = """
    INSERT INTO sns_posts (workspace_id, id, source_id, body, created_at, due_at) VALUES ($1, $2, $3, $4, $5, $5)
"""
