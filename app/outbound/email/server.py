"""Which server takes our mail. It is the operator's own, often on this very machine, so the guard that keeps webhooks
from private addresses does not apply: nobody but the operator chooses it.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465}
STARTTLS_PORT = 587


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
        """smtp://host:port, smtps://user:password@host, smtp://user:password@host?starttls. Raises ValueError."""
        parts = urlsplit(url)
        options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or options - {"starttls"}:
            raise ValueError("ZEROTEN_SMTP_URL reads smtp://host:port, smtps://host or smtp://host?starttls")
        is_starttls, is_tls = "starttls" in options, parts.scheme == "smtps"
        if parts.password and not (is_tls or is_starttls or _is_here(parts.hostname)):
            raise ValueError("ZEROTEN_SMTP_URL would send its password in the clear: use smtps:// or add ?starttls")
        port = parts.port or (STARTTLS_PORT if is_starttls else PORTS[parts.scheme])
        user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
        return cls(parts.hostname, port, is_tls, is_starttls, user, password)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
