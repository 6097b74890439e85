"""A letter as the bytes that SMTP carries.

It is written here and not by Python's EmailMessage, which takes some ten times as long. And it rewrites every word
longer than its lines as =?utf-8?q?…?=, also a URL in List-Unsubscribe, which ends the one click; with longer lines it
writes longer bodies and encoded words than are allowed; and it puts spaces into long names that are not ASCII.
"""

import re
from binascii import b2a_qp
from email.header import Header
from email.utils import format_datetime, quote

from app.domain.mail.letter import Letter, Mailbox, wire_address
from app.domain.mail.letter_body import html_of, plain_text_of

ENCODED_WORD = 75  # characters at most, RFC 2047
PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")  # needs no quotes, RFC 5322
CONTROL = re.compile(r"[\x00-\x20\x7f]+")


def compose(letter: Letter) -> bytes:
    lines = (f"{name}: {value}\r\n" for name, value in _headers(letter).items())
    return "".join(lines).encode() + _body(letter)  # not ASCII only where an address is not: RFC 6532


def _body(letter: Letter) -> bytes:
    """With the headers that say what it is made of."""
    boundary = f"=_{letter.message_id.hex}"  # quoted-printable never writes this
    kinds = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    parts = (_part(boundary, "plain", plain_text_of(letter)), _part(boundary, "html", html_of(letter)))
    return kinds.encode() + b"".join(parts) + f"--{boundary}--\r\n".encode()


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = (
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = "\r\n".join(text.splitlines()).encode()
    return head.encode() + b2a_qp(lines, istext=True) + b"\r\n"


def _headers(letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": f"<{letter.message_id.hex}@{wire_address(letter.sender.email).rpartition('@')[2]}>",
        "Date": format_datetime(letter.sent_at),
        "From": mailbox_header(letter.sender),
        "To": mailbox_header(letter.to),
        "Subject": text_header(letter.subject, "Subject"),
        "List-Unsubscribe": f"<{letter.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058, exactly so
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if letter.reply_to is not None:
        headers["Reply-To"] = mailbox_header(letter.reply_to)
    if letter.feedback_ids:
        headers["Feedback-ID"] = ":".join((*letter.feedback_ids, "nps", "zeroten"))
    return headers


def mailbox_header(box: Mailbox) -> str:
    name, address = _one_line(box.name or ""), wire_address(box.email)
    if not name:
        return address
    if _is_plain(name):
        phrase = name if PHRASE.fullmatch(name) else f'"{quote(name)}"'
        return f"{phrase} <{address}>"
    return f"{text_header(name, 'Reply-To')} <{address}>"


def text_header(text: str, header: str) -> str:
    """On as many lines as it takes."""
    charset = "us-ascii" if _is_plain(text) else "utf-8"
    return Header(_one_line(text), charset, ENCODED_WORD, header).encode(linesep="\r\n")


def _is_plain(text: str) -> bool:
    """What looks like an encoded word would be read as what it encodes, unless it is encoded itself."""
    return text.isascii() and "=?" not in text


def _one_line(text: str) -> str:
    """Nothing in it can begin a header of its own."""
    return CONTROL.sub(" ", text).strip()
