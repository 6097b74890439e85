from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import UUID

from app.domain.mail.letter import Mailbox
from app.domain.mail.notice import Notice, compose_notice


def test_a_notice_is_a_plain_mail() -> None:
    notice = Notice(
        message_id=UUID(int=1), to=Mailbox("ops@shop.example"), sender=Mailbox("z@shop.example", "Zeroten"),
        sent_at=datetime(2026, 11, 22, tzinfo=UTC), subject="Bäcker: etwas ist los\r\nBcc: eve@example.org",
        text="Erste Zeile – mit Ümlaut\n\n.\n" + "x" * 200,
    )  # fmt: skip
    raw = compose_notice(notice)
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == "Bäcker: etwas ist los Bcc: eve@example.org"
    assert mail["Bcc"] is None
    assert mail.get_content().splitlines() == notice.text.splitlines()
    assert mail["From"] == "Zeroten <z@shop.example>"
    assert max(map(len, raw.split(b"\r\n"))) <= 78
