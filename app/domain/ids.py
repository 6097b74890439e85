"""Ids as people see them: what it is, an underscore, and a UUID version 7 in hexadecimal (`resp_0198…`).

Hexadecimal, because the same digits stand in psql, in a log and in a URL.
"""

from datetime import datetime
from uuid import UUID

PREFIXES = {
    "account": "acct",
    "api_key": "key",
    "authorization": "auth",
    "campaign": "camp",
    "delivery": "dlv",
    "endpoint": "ep",
    "event": "evt",
    "import": "imp",
    "invitation": "inv",
    "mail": "mail",
    "mail_source": "msrc",
    "message": "msg",
    "recipient": "rcpt",
    "replay": "rply",
    "response": "resp",
    "secret": "sec",
    "touchpoint": "tp",
    "workspace": "ws",
}


def shown(kind: str, uuid: UUID) -> str:
    return f"{PREFIXES[kind]}_{uuid.hex}"


def parsed(kind: str, text: str) -> UUID | None:
    """None where the text is no id of this kind."""
    prefix, separator, digits = text.partition("_")
    if prefix != PREFIXES[kind] or not separator or len(digits) != 32:
        return None
    try:
        return UUID(hex=digits) if digits == digits.lower() else None
    except ValueError:
        return None


def uuid_v7(milliseconds: int, entropy: bytes) -> UUID:
    """RFC 9562 §5.7 from Unix milliseconds and 10 random bytes."""
    tail = int.from_bytes(entropy, "big")
    rand_a, rand_b = (tail >> 62) & 0xFFF, tail & ((1 << 62) - 1)
    return UUID(int=(milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)


def first_uuid_of(at: datetime) -> UUID:
    """No id made before that millisecond comes behind it, and none made later before it."""
    return uuid_v7(int(at.timestamp() * 1000), bytes(10))
