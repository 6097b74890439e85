"""A mail's bytes, taken apart for whoever reads it."""

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass(frozen=True, slots=True)
class ReadMail:
    headers: tuple[tuple[str, str], ...]  # decoded, in the mail's order
    html: str
    text: str


def read_mail(raw: bytes) -> ReadMail:
    mail = message_from_bytes(raw, policy=default)
    headers = tuple((name, str(value)) for name, value in mail.items())
    return ReadMail(headers, _part(mail, "html"), _part(mail, "plain"))


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return "" if part is None else str(part.get_content())
