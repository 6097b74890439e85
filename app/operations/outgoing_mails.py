"""Test mails and notices, written and on their way. They may come twice if a worker dies, which does no harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.mail.letter import Purpose

KEPT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=10)
TRIED_AGAIN_AFTER, TRIED_FOR = timedelta(minutes=5), timedelta(hours=6)
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    workspace_id: UUID
    id: UUID
    purpose: Purpose
    to_address: str
    subject: str
    envelope_sender: str
    raw: bytes
    campaign_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ClaimedMail:
    mail: OutgoingMail
    livemode: bool
    created_at: datetime


async def queue_mails(tx: Tx, mails: Sequence[OutgoingMail], *, now: datetime) -> None:
    for mail in mails:
        await fetch(
            tx, _QUEUE, mail.workspace_id, mail.id, mail.campaign_id, mail.purpose.value, mail.to_address, mail.subject,
            mail.envelope_sender, mail.raw, now,
        )  # fmt: skip


async def claim_outgoing_mails(tx: Tx, *, now: datetime) -> list[ClaimedMail]:
    return [_claimed(row) for row in await fetch(tx, _CLAIM, now, now + LEASE, AT_ONCE)]


async def settle_outgoing_mail(
    tx: Tx,
    claimed: ClaimedMail,
    *,
    state: str,
    failure: str | None = None,
    reply_code: int | None = None,
    now: datetime,
) -> None:
    place = claimed.mail.workspace_id, claimed.mail.id
    await fetch(tx, _SETTLE, *place, state, failure, reply_code, now)


async def put_off_outgoing_mail(tx: Tx, claimed: ClaimedMail, *, now: datetime) -> None:
    await fetch(tx, _PUT_OFF, claimed.mail.workspace_id, claimed.mail.id, now + TRIED_AGAIN_AFTER)


async def capture_outgoing_mail(tx: Tx, claimed: ClaimedMail, *, now: datetime) -> None:
    await fetch(tx, _CAPTURE, claimed.mail.workspace_id, claimed.mail.id)
    await settle_outgoing_mail(tx, claimed, state="captured", now=now)


async def forget_outgoing_mails(tx: Tx, *, now: datetime) -> int:
    return len(await fetch(tx, _FORGET, now - KEPT_FOR))


async def count_recent_tests(tx: Tx, workspace_id: UUID, *, since: datetime) -> int:
    (row,) = await fetch(tx, _COUNT, workspace_id, since)
    return int(row["n"])


def _claimed(row: Mapping[str, Any]) -> ClaimedMail:
    mail = OutgoingMail(
        row["workspace_id"], row["id"], Purpose(row["purpose"]), row["to_address"], row["subject"],
        row["envelope_sender"], row["raw"], row["campaign_id"],
    )  # fmt: skip
    return ClaimedMail(mail, row["mode"] == "live", row["created_at"])


_QUEUE = """
    INSERT INTO outgoing_mails (workspace_id, id, campaign_id, purpose, to_address, subject, envelope_sender, raw,
        created_at, due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
"""
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT workspace_id, id FROM outgoing_mails WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE outgoing_mails o SET due_at = $2 FROM due, workspaces w
    WHERE o.workspace_id = due.workspace_id AND o.id = due.id AND w.id = o.workspace_id
    RETURNING o.workspace_id, o.id, o.purpose, o.to_address, o.subject, o.envelope_sender, o.raw, o.campaign_id,
        o.created_at, w.mode
"""
_SETTLE = """
    UPDATE outgoing_mails SET state = $3, failure = $4, reply_code = $5, settled_at = $6, due_at = NULL
    WHERE workspace_id = $1 AND id = $2 AND due_at IS NOT NULL
"""
_PUT_OFF = "UPDATE outgoing_mails SET due_at = $3 WHERE workspace_id = $1 AND id = $2 AND due_at IS NOT NULL"
_CAPTURE = """
    INSERT INTO captured_mails (workspace_id, id, purpose, to_address, subject, raw, created_at)
    SELECT workspace_id, id, purpose, to_address, subject, raw, created_at FROM outgoing_mails
    WHERE workspace_id = $1 AND id = $2
    ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM outgoing_mails WHERE created_at < $1 RETURNING 1"
_COUNT = """
    SELECT count(*) AS n FROM outgoing_mails WHERE workspace_id = $1 AND purpose = 'test' AND created_at > $2
"""
