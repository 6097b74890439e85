"""What of a request is kept in the log, so that it stays true when the endpoint is changed.

Of one that went well, where it went: the event still says what it carried. Of one that failed, also its headers and
the beginning of its body. Never the query or a value that may be secret.
"""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

MOST_BODY_BYTES = 2_000
SHOWN = frozenset({"content-type", "webhook-id", "webhook-timestamp"})
MASK = "…"


@lru_cache(maxsize=4_096)
def request_line(method: str, url: str, *, with_path: bool = True) -> str:
    """`POST https://hooks.example.com/in`. Only the method, where the URL cannot be read."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return method
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{method} {parts.scheme}://{host}{port}{parts.path if with_path else ''}"


def request_head(line: str, headers: Mapping[str, str], body: bytes) -> str:
    """One line, headers in the order of their names, an empty line, and the body as far as it is kept."""
    shown = (f"{name.lower()}: {value if name.lower() in SHOWN else MASK}" for name, value in sorted(headers.items()))
    kept = body[:MOST_BODY_BYTES].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return "\n".join((line, *shown, "", kept + (MASK if len(body) > MOST_BODY_BYTES else "")))
