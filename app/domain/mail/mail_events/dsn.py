"""Bounces as mails: RFC 3464 reports, and the feedback reports of RFC 5965 ("this is spam"), as they come in."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses

from app.domain.mail.letter import message_of
from app.domain.mail.mail_events.event import MailEvent, MailEventKind, mail_event
from app.domain.mail.reply_status import is_about_mailbox

# Anybody can write to the address that bounces go to, and email.message takes longer than in proportion.
LONGEST_REPORT = 64 * 1024  # bytes; what tells stands at the beginning, our mail as it was at the end
LONGEST_ADDRESS_LINE = 998  # RFC 5322 §2.1.1
MOST_ADDRESS_LINES = 20
MOST_PARTS = 50
OURS = ("delivered-to", "x-original-to", "to", "envelope-to")  # where the bounce went is where our mail came from


def events_of_report(raw: bytes) -> list[MailEvent]:
    """None of a mail that is no report: an answer, or somebody being away."""
    try:
        return _events_of(message_from_bytes(raw[:LONGEST_REPORT], policy=compat32))
    except RecursionError:  # no mail server nests like that
        return []


def _events_of(mail: Message) -> list[MailEvent]:
    if mail.get_content_type() != "multipart/report":
        return []
    parts = _parts(mail)
    header, envelope = _header_of_original(parts), _envelope(mail)
    found: list[MailEvent] = []
    for part in parts:
        match part.get_content_type():
            case "message/delivery-status":
                found += _statuses(part, header, envelope)
            case "message/feedback-report":
                found += _complaint(part, header, envelope)
    return found


def _parts(mail: Message) -> list[Message]:
    walked = mail.walk()
    return [part for part, _ in zip(walked, range(MOST_PARTS), strict=False)]


def _statuses(part: Message, header: str | None, envelope: str | None) -> Iterator[MailEvent]:
    """The first block is about the message, the others about one recipient each."""
    blocks = part.get_payload()
    for block in blocks[1:] if isinstance(blocks, list) else ():
        if isinstance(block, Message) and (kind := _kind(block)) is not None:
            address = _after_type(block.get("original-recipient") or block.get("final-recipient"))
            yield mail_event(kind, header=header, envelope=envelope, address=address)


def _kind(block: Message) -> MailEventKind | None:
    action, status = (str(block.get(name, "")).strip().lower() for name in ("action", "status"))
    if action in {"delivered", "relayed"}:
        return MailEventKind.DELIVERED
    if action == "delayed":
        return MailEventKind.SOFT_BOUNCE
    if action != "failed":
        return None
    is_hard = is_about_mailbox(status.partition(" ")[0]) or status.startswith("5.0.0")
    return MailEventKind.HARD_BOUNCE if is_hard else MailEventKind.SOFT_BOUNCE


def _complaint(part: Message, header: str | None, envelope: str | None) -> Iterator[MailEvent]:
    inner = part.get_payload()
    report = inner[0] if isinstance(inner, list) and isinstance(inner[0], Message) else part
    if str(report.get("feedback-type", "abuse")).strip().lower() == "abuse":
        address, source = report.get("original-rcpt-to"), report.get("original-mail-from")
        yield mail_event(
            MailEventKind.COMPLAINED, header=header, envelope=str(source) if source else envelope,
            address=str(address) if address else None,
        )  # fmt: skip


def _header_of_original(parts: list[Message]) -> str | None:
    """Of our mail, or of its headers, which the report brings along."""
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and isinstance(inner[0], Message) and inner[0].get("message-id"):
                return str(inner[0]["message-id"])
        if part.get_content_type() == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            if isinstance(text, bytes) and (found := message_from_bytes(text).get("message-id")):
                return str(found)
    return None


def _envelope(mail: Message) -> str | None:
    values = [str(value) for name in OURS for value in mail.get_all(name, [])[:MOST_ADDRESS_LINES]]
    lines = [value for value in values if len(value) <= LONGEST_ADDRESS_LINE]
    return next((address for _, address in getaddresses(lines) if message_of(address) is not None), None)


def _after_type(value: object) -> str | None:
    """`rfc822; ada@example.org`"""
    return str(value).partition(";")[2].strip() if value is not None else None
