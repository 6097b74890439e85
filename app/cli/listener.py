"""The socket callers connect to. `zeroten up` holds it, so that they wait, not fail, while an API process restarts."""

import errno
import os
import socket

from app.cli.refusal import Refusal

HANDED_OVER = "ZEROTEN_LISTENER"  # in the environment of a child: the number of the open socket
BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Raises Refusal."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except OSError as error:
        raise Refusal(_reason(host, port, error)) from None


def handed_over() -> socket.socket | None:
    number = os.environ.pop(HANDED_OVER, None)
    return socket.socket(fileno=int(number)) if number is not None else None


def address(listener: socket.socket) -> str:
    """As a URL that works on this machine."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - not bound to, but replaced
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is taken by another program. Choose another with ZEROTEN_PORT."
        case errno.EACCES:
            return f"Port {port} is reserved for root. Choose one above 1023 with ZEROTEN_PORT."
        case _:
            return f"Cannot listen on {host}, port {port}: {error.strerror}. See ZEROTEN_HOST and ZEROTEN_PORT."
