"""Mails that went nowhere, kept to be read for a while: of test workspaces, and wherever no SMTP server is set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.mail.letter import Letter

KEPT_FOR = timedelta(days=7)
MOST_KEPT = 1_000  # of a workspace, some 20 kB each
FORGOTTEN_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class CapturedMail:
    workspace_id: UUID
    recipient_id: UUID
    letter: Letter
    raw: bytes


async def keep_captured_mails(tx: Tx, mails: Sequence[CapturedMail], *, now: datetime) -> None:
    if mails:
        await fetch(
            tx, _KEEP, [one.workspace_id for one in mails], [one.letter.message_id for one in mails],
            [one.recipient_id for one in mails], [one.letter.purpose.value for one in mails],
            [one.letter.to.email for one in mails], [one.letter.subject for one in mails],
            [one.raw for one in mails], now,
        )  # fmt: skip


async def forget_captured_mails(tx: Tx, *, now: datetime) -> int:
    """How many went: those that are too old, and of each workspace what is beyond the newest."""
    return len(await fetch(tx, _FORGET, now - KEPT_FOR, MOST_KEPT, FORGOTTEN_AT_ONCE))


_KEEP = """
    INSERT INTO captured_mails (workspace_id, id, recipient_id, purpose, to_address, subject, raw, created_at)
    SELECT g.*, $8 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[])
        AS g (workspace_id, id, recipient_id, purpose, to_address, subject, raw)
    ON CONFLICT DO NOTHING
"""
_FORGET = """
    WITH gone AS MATERIALIZED (
        SELECT workspace_id, id FROM (
            SELECT workspace_id, id, created_at, row_number() OVER (PARTITION BY workspace_id ORDER BY id DESC) AS place
            FROM captured_mails
        ) kept
        WHERE created_at < $1 OR place > $2 LIMIT $3
    )
    DELETE FROM captured_mails m USING gone WHERE m.workspace_id = gone.workspace_id AND m.id = gone.id RETURNING 1
"""
