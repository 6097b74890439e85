"""Amazon SES through SNS: an envelope signed with a certificate that is fetched, and in it, as text, what happened."""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from app.domain.mail.mail_events.event import MailEvent, MailEventKind, is_within, mail_event, member

OLDEST = timedelta(hours=12)  # it tries again for one
HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-[0-9]\.amazonaws\.com(\.cn)?")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
NO_COMPLAINTS = ("not-spam", "auth-failure", "virus")  # reports that are about something else than the reader's wish
HASHES = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 is what a topic has unless told otherwise


def is_of_amazon(url: object) -> bool:
    """Whether it may be fetched at all: anybody can write an envelope that names a server of theirs."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.port is None and HOST.fullmatch(parts.netloc) is not None
    except ValueError:
        return False


def is_certificate_url(url: object) -> bool:
    return is_of_amazon(url) and urlsplit(str(url)).path.endswith(".pem")


def is_signed(envelope: Mapping[str, object], *, certificate: bytes) -> bool:
    """By the certificate, in PEM, that the envelope names."""
    algorithm = HASHES.get(str(envelope.get("SignatureVersion")))
    names = SIGNED.get(str(envelope.get("Type")))
    if algorithm is None or names is None:
        return False
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if envelope.get(name) is not None)
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        signature = b64decode(str(envelope.get("Signature", "")), validate=True)
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(signature, text.encode(), PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def is_fresh(envelope: Mapping[str, object], *, heard_at: datetime) -> bool:
    """What was posted long after it was signed is somebody else's doing."""
    return is_within(OLDEST, envelope.get("Timestamp"), now=heard_at)


def events_of_ses(envelope: Mapping[str, object]) -> list[MailEvent]:
    try:
        said = json.loads(str(envelope.get("Message", "")))
    except (ValueError, RecursionError):
        return []
    return list(_events(said))


def _events(said: object) -> Iterator[MailEvent]:
    header, envelope = member(said, "mail", "commonHeaders", "messageId"), member(said, "mail", "source")
    match member(said, "eventType") or member(said, "notificationType"):
        case "Bounce":
            is_hard = member(said, "bounce", "bounceType") == "Permanent"
            kind, part, names = _BOUNCES[is_hard], "bounce", "bouncedRecipients"
        case "Complaint" if member(said, "complaint", "complaintFeedbackType") in NO_COMPLAINTS:
            return
        case "Complaint":
            kind, part, names = MailEventKind.COMPLAINED, "complaint", "complainedRecipients"
        case "Delivery":
            kind, part, names = MailEventKind.DELIVERED, "delivery", "recipients"
        case _:
            return
    told = member(said, part, names)
    for one in told if isinstance(told, list) else ():
        address = one if isinstance(one, str) else member(one, "emailAddress")
        at = member(said, part, "timestamp")
        yield mail_event(kind, header=header, envelope=envelope, address=address, at=at)


_BOUNCES = {True: MailEventKind.HARD_BOUNCE, False: MailEventKind.SOFT_BOUNCE}
