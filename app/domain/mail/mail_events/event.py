"""What became of a mail after it left, in the words of none of the services that tell us."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.mail.letter import message_of
from app.domain.people.mailbox import one_spelling

BRACKETS = "<> \t"
LONGEST_SECONDS = 18  # digits; more are no moment of ours


class MailEventKind(StrEnum):
    DELIVERED = "delivered"
    HARD_BOUNCE = "hard_bounce"  # there is no such address: it is never written to again
    SOFT_BOUNCE = "soft_bounce"  # a full mailbox, a server that is away
    COMPLAINED = "complained"  # "this is spam"
    UNSUBSCRIBED = "unsubscribed"  # by a link of the service's own


@dataclass(frozen=True, slots=True)
class MailEvent:
    """Of the mail, or where that is not known, of the latest one to the address."""

    kind: MailEventKind
    message_id: UUID | None = None
    address: str | None = None  # lower case
    at: datetime | None = None  # none: now


def mail_event(
    kind: MailEventKind, *, header: object = None, envelope: object = None, address: object = None, at: object = None
) -> MailEvent:
    """`header` is the mail's Message-ID, `envelope` the address it was sent from; either may name it."""
    return MailEvent(kind, _message(header, envelope), _address(address), _instant(at))


def member(content: object, *path: str) -> Any:
    """None wherever the path leads nowhere."""
    for name in path:
        if not isinstance(content, Mapping):
            return None
        content = content.get(name)
    return content


def word(content: object, *path: str) -> str | None:
    """None for whatever is no text, which could be anything, and in no set or dict."""
    found = member(content, *path)
    return found if isinstance(found, str) else None


def is_within(length: timedelta, said: object, *, now: datetime) -> bool:
    """Whether a moment, in seconds since 1970 or RFC 3339, is no further from now, before it or behind it."""
    is_number = isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) <= LONGEST_SECONDS
    at = _instant(int(str(said)) if is_number else said)
    return at is not None and abs(now - at) < length


def _message(header: object, envelope: object) -> UUID | None:
    if isinstance(header, str):
        digits = header.strip(BRACKETS).partition("@")[0]
        if len(digits) == 32:
            try:
                return UUID(hex=digits)
            except ValueError:
                pass
    return message_of(envelope.strip(BRACKETS)) if isinstance(envelope, str) else None


def _address(text: object) -> str | None:
    """Out of `Ada <ada@example.org>` too."""
    if not isinstance(text, str) or "@" not in text or not text.isprintable():
        return None
    return one_spelling(text.rpartition("<")[2].strip(BRACKETS))


def _instant(value: object) -> datetime | None:
    """From seconds since 1970 or RFC 3339; None from anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)
