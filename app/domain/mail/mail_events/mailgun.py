"""Mailgun's webhooks. The signature covers a time and a token, and nothing of what is told: a token is heard once."""

import hashlib
import hmac
from datetime import datetime, timedelta

from app.domain.mail.mail_events.event import MailEvent, MailEventKind, is_within, mail_event, member, word

OLDEST = timedelta(hours=12)  # it tries again for eight
KINDS: dict[tuple[str | None, str | None], MailEventKind] = {
    ("delivered", None): MailEventKind.DELIVERED,
    ("failed", "permanent"): MailEventKind.HARD_BOUNCE,
    ("failed", "temporary"): MailEventKind.SOFT_BOUNCE,
    ("complained", None): MailEventKind.COMPLAINED,
    ("unsubscribed", None): MailEventKind.UNSUBSCRIBED,
}
SUPPRESSED = frozenset({"suppress-complaint", "suppress-unsubscribe"})  # failed, for what was known before


def is_from_mailgun(signing_key: str, content: object, *, now: datetime) -> bool:
    timestamp, token, signature = (member(content, "signature", name) for name in ("timestamp", "token", "signature"))
    if not (isinstance(timestamp, str | int) and isinstance(token, str) and isinstance(signature, str)):
        return False
    expected = hmac.new(signing_key.encode(), _signed(content), "sha256").hexdigest()
    if not hmac.compare_digest(expected.encode(), _bytes(signature)):
        return False
    return is_within(OLDEST, timestamp, now=now)


def digest_of_token(content: object) -> bytes:
    """With its time, as they are signed: one that is cut elsewhere is no other."""
    return hashlib.sha256(_signed(content)).digest()


def _signed(content: object) -> bytes:
    return _bytes(f"{member(content, 'signature', 'timestamp')}{member(content, 'signature', 'token')}")


def _bytes(text: str) -> bytes:
    """Of what JSON can say and UTF-8 cannot, too."""
    return text.encode("utf-8", "surrogatepass")


def events_of_mailgun(content: object) -> list[MailEvent]:
    said = member(content, "event-data")
    name, severity, reason = (word(said, name) for name in ("event", "severity", "reason"))
    kind = KINDS.get((name, severity if name == "failed" else None))
    if kind is None or reason in SUPPRESSED:
        return []
    header = member(said, "message", "headers", "message-id")
    return [mail_event(kind, header=header, address=member(said, "recipient"), at=member(said, "timestamp"))]
