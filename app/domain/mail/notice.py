"""Mails to whoever looks after a workspace: plain text, one matter each."""

from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from uuid import UUID

from app.domain.mail.letter import Mailbox, wire_address
from app.domain.mail.letter_bytes import mailbox_header, text_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    message_id: UUID
    to: Mailbox
    sender: Mailbox
    sent_at: datetime
    subject: str
    text: str


def compose_notice(notice: Notice) -> bytes:
    headers = {
        "Message-ID": f"<{notice.message_id.hex}@{wire_address(notice.sender.email).rpartition('@')[2]}>",
        "Date": format_datetime(notice.sent_at),
        "From": mailbox_header(notice.sender),
        "To": mailbox_header(notice.to),
        "Subject": text_header(notice.subject, "Subject"),
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "quoted-printable",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return lines.encode() + b"\r\n" + b2a_qp("\r\n".join(notice.text.splitlines()).encode(), istext=True) + b"\r\n"
