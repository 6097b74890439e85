"""Who tells us what became of our mails: a mail service, or whoever passes bounced mails on."""

import base64
import hashlib
import re
from enum import StrEnum

from app.domain.errors import Conflict, NotFound, RuleViolation
from app.domain.mail.mail_events.sendgrid import read_public_key

KEY_BYTES = 24  # 32 characters
MOST_SOURCES = 20  # of a workspace
LONGEST_SECRET = 1_000
TOPIC = re.compile(r"arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")


class MailSourceKind(StrEnum):
    SES = "ses"
    SENDGRID = "sendgrid"
    POSTMARK = "postmark"
    MAILGUN = "mailgun"
    DSN = "dsn"  # bounced mails themselves, as bytes


SIGNING = {
    MailSourceKind.SENDGRID: "the public key of its signed Event Webhook",
    MailSourceKind.MAILGUN: "the HTTP webhook signing key",
}


class MailSourceNotFound(NotFound):
    """There is no such mail source."""

    code = "mail_source_not_found"


class MailSourceInvalid(RuleViolation):
    """The mail source is not valid."""

    code = "mail_source_invalid"


class TooManyMailSources(Conflict):
    """The workspace has as many mail sources as it may have."""

    code = "too_many_mail_sources"


def key_text(entropy: bytes) -> str:
    return base64.urlsafe_b64encode(entropy).decode()


def key_digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def check_source(kind: MailSourceKind, *, secret: str | None, topic_arn: str | None) -> None:
    """Raises MailSourceInvalid."""
    if kind in SIGNING and not secret:
        raise MailSourceInvalid(f"Give {SIGNING[kind]}.", pointer="/secret")
    if kind not in SIGNING and secret:
        raise MailSourceInvalid("This service signs with no secret of yours.", pointer="/secret")
    if kind is MailSourceKind.SENDGRID:
        _check_public_key(secret or "")
    if topic_arn is not None and (kind is not MailSourceKind.SES or not TOPIC.fullmatch(topic_arn)):
        detail = "Only ses has a topic: arn:aws:sns:eu-central-1:123456789012:bounces."
        raise MailSourceInvalid(detail, pointer="/topic_arn")


def _check_public_key(text: str) -> None:
    try:
        read_public_key(text)
    except ValueError:
        detail = "This is no ECDSA public key in base64, as SendGrid shows it."
        raise MailSourceInvalid(detail, pointer="/secret") from None
