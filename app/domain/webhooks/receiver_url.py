"""Which URLs can receive from us, as far as that is known without asking DNS.

Where a name leads is decided anew at every connection (`app/outbound/guard.py`); this is the early, polite refusal.
"""

import re
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from app.domain.errors import RuleViolation
from app.domain.webhooks.addresses import Guard, read_address

LONGEST_URL = 2_000  # characters
URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986, section 2
HOST_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?")
LONGEST_HOST_NAME = 253
NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class UnusableURL(RuleViolation):
    """We cannot send to this URL."""

    code = "unusable_url"


def check_receiver_url(url: str, *, guard: Guard) -> None:
    """Raise UnusableURL for what can be refused when an endpoint is saved."""
    parts = split_receiver_url(url)
    may_be_plain = _check_host(parts.hostname or "", guard=guard)
    if parts.scheme == "http" and not may_be_plain:
        _refuse("Use https: answers are personal data, and plain http shows them to everybody on the way.")


def split_receiver_url(url: str) -> SplitResult:
    """The parts of a well-formed URL, wherever it leads. Raises UnusableURL."""
    if len(url) > LONGEST_URL:
        _refuse(f"A URL has at most {LONGEST_URL} characters.")
    if not URL_CHARACTERS.fullmatch(url):
        _refuse("A URL holds only the characters of RFC 3986; write others percent-encoded, and names in punycode.")
    if "#" in url:
        _refuse("Leave out the part after #: it is never sent.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        _refuse("This is not a URL: its host or port cannot be read.")
    _check_parts(parts, port=port)
    _check_host_spelling(parts.hostname or "", in_brackets="[" in parts.netloc)
    return parts


def _check_parts(parts: SplitResult, *, port: int | None) -> None:
    if parts.scheme not in {"http", "https"}:
        _refuse("A URL starts with https://.")
    if "@" in parts.netloc:
        _refuse("Leave user name and password out of the URL; receivers check the signature instead.")
    if not parts.hostname:
        _refuse("The URL names no host.")
    if port == 0:
        _refuse("Port 0 receives nothing.")


def _check_host_spelling(host: str, *, in_brackets: bool) -> None:
    if in_brackets is not (":" in host):
        _refuse("Brackets are for IPv6 addresses.")
    if read_address(host) is not None:
        return
    if _is_numeric(host):
        _refuse("Write the address in full, as four decimal numbers.")
    if len(host) > LONGEST_HOST_NAME or not HOST_NAME.fullmatch(host):
        _refuse(f"{host[:80]} is not a host name.")


def _is_numeric(host: str) -> bool:
    """As browsers decide it: an IPv4 address is meant whenever the last label is a number, also octal or hex."""
    return NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def _check_host(host: str, *, guard: Guard) -> bool:
    """Whether plain http may be tried; raises UnusableURL for an address we may not connect to."""
    address = read_address(host)
    if address is not None:
        if reason := guard.why_refused(address):
            _refuse(f"{address} is {reason}. The operator of this server would have to allow that network.")
        return guard.vouches_for(address)
    if _is_localhost(host) and not guard.allow_loopback:
        _refuse(f"{host} is this server itself.")
    return guard.vouches_for_any  # a name may lead into an allowed network; the connection will tell


def _is_localhost(host: str) -> bool:
    return f".{host}".rstrip(".").endswith(".localhost")  # RFC 6761: these names never leave the machine


def _refuse(detail: str) -> NoReturn:
    raise UnusableURL(detail, pointer="/url")


def origin_of(url: str) -> str:
    """Scheme, host and port, as they are written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
