"""Telling whoever looks after a workspace, by mail, what is in trouble."""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.domain.mail.letter import Mailbox, Purpose
from app.domain.mail.notice import Notice, compose_notice
from app.domain.mail.sender import Sender
from app.operations.outgoing_mails import OutgoingMail, queue_mails
from app.queries.workspaces import get_workspace


async def notify(tx: Tx, workspace_id: UUID, *, subject: str, text: str, now: datetime) -> None:
    """Nobody, where nobody wants to be told."""
    workspace = await get_workspace(tx, workspace_id)
    sender = Sender.of(workspace["sender"])
    if sender.notify_email is None:
        return
    address = sender.from_email or sender.notify_email
    notice = Notice(
        message_id=new_id(now), to=Mailbox(sender.notify_email), sender=Mailbox(address, "Zeroten"), sent_at=now,
        subject=f"{workspace['name']}: {subject}", text=text,
    )  # fmt: skip
    mail = OutgoingMail(
        workspace_id, notice.message_id, Purpose.NOTICE, notice.to.email, notice.subject, address,
        compose_notice(notice),
    )  # fmt: skip
    await queue_mails(tx, [mail], now=now)
