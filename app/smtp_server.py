"""Which server takes our mail. It is the operator's own, often on this very machine, so the guard that keeps webhooks
from private addresses does not apply: nobody but the operator chooses it.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465}
STARTTLS_PORT = 587


class UnusableSmtpUrl(ValueError):
    """Says what is wrong, and never repeats the URL: it may hold a password."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    is_tls: bool = False  # from the first byte on
    is_starttls: bool = False  # demanded, not hoped for
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, url: str) -> Self:
        """smtp://host:port, smtps://user:password@host, smtp://user:password@host?starttls. Raises UnusableSmtpUrl."""
        parts, given_port = _parts(url)
        options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        if not _is_right(parts) or options - {"starttls"}:
            raise UnusableSmtpUrl("ZEROTEN_SMTP_URL reads smtp://host:port, smtps://host or smtp://host?starttls")
        is_starttls, is_tls, host = "starttls" in options, parts.scheme == "smtps", parts.hostname or ""
        if is_tls and is_starttls:
            raise UnusableSmtpUrl("ZEROTEN_SMTP_URL is smtps:// or ends in ?starttls, not both")
        if parts.password and not (is_tls or is_starttls or is_here(host)):
            raise UnusableSmtpUrl(
                "ZEROTEN_SMTP_URL would send its password in the clear: use smtps:// or add ?starttls"
            )
        port = given_port or (STARTTLS_PORT if is_starttls else PORTS[parts.scheme])
        user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
        return cls(host, port, is_tls, is_starttls, user, password)


def _parts(url: str) -> tuple[SplitResult, int | None]:
    """Python's own words would quote the URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        detail = "ZEROTEN_SMTP_URL cannot be read; in a password, write # / ? : @ % as %23 %2F %3F %3A %40 %25"
        raise UnusableSmtpUrl(detail) from None
    return parts, port


def _is_right(parts: SplitResult) -> bool:
    is_place = parts.scheme in PORTS and bool(parts.hostname) and parts.path in {"", "/"} and not parts.fragment
    return is_place and not any(character.isspace() for character in parts.netloc)


def is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
