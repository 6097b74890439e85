"""Mails that went nowhere, kept to be read: of test workspaces, and wherever no SMTP server is set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.mail.letter import Letter


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


_KEEP = """
    INSERT INTO captured_mails (workspace_id, id, recipient_id, purpose, to_address, subject, raw, created_at)
    SELECT g.*, $8 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[])
        AS g (workspace_id, id, recipient_id, purpose, to_address, subject, raw)
    ON CONFLICT DO NOTHING
"""
