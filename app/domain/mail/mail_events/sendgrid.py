"""SendGrid's Event Webhook: an array of events, signed with its key over timestamp and body (ECDSA P-256, SHA-256)."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.domain.mail.mail_events.event import MailEvent, MailEventKind, is_within, mail_event, member

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
OLDEST = timedelta(hours=26)  # it tries again for 24
KINDS = {
    "delivered": MailEventKind.DELIVERED,
    "bounce": MailEventKind.HARD_BOUNCE,
    "spamreport": MailEventKind.COMPLAINED,
    "unsubscribe": MailEventKind.UNSUBSCRIBED,
    "group_unsubscribe": MailEventKind.UNSUBSCRIBED,
}
# Of what SendGrid did not even try: only these say that the address is no good.
DROPPED_FOR_ITS_ADDRESS = frozenset({"bounced address", "invalid"})


def read_public_key(text: str) -> EllipticCurvePublicKey:
    """Base64 as SendGrid shows it. Raises ValueError."""
    key = load_der_public_key(b64decode(text, validate=True))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("not an ECDSA key")  # noqa: TRY004 - of the text, whatever it became
    return key


def is_from_sendgrid(public_key: str, *, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    stamp = headers.get(TIMESTAMP, "")
    try:
        signature = b64decode(headers.get(SIGNATURE, ""), validate=True)
        read_public_key(public_key).verify(signature, stamp.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return is_within(OLDEST, stamp, now=now)


def events_of_sendgrid(content: object) -> list[MailEvent]:
    return [event for one in content if (event := _event(one)) is not None] if isinstance(content, list) else []


def _event(said: object) -> MailEvent | None:
    name, kind = member(said, "event"), KINDS.get(str(member(said, "event")))
    if name == "bounce" and member(said, "type") == "blocked":
        kind = MailEventKind.SOFT_BOUNCE  # refused for the moment, or for what it says
    if name == "dropped" and str(member(said, "reason")).lower() in DROPPED_FOR_ITS_ADDRESS:
        kind = MailEventKind.HARD_BOUNCE
    if kind is None:
        return None
    header, address, at = (member(said, name) for name in ("smtp-id", "email", "timestamp"))
    return mail_event(kind, header=header, address=address, at=at)
