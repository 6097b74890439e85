"""The last look at an address, taken by the code that opens the socket.

aiohttp asks this factory for every socket of every connection, so names, literal addresses, odd spellings and answers
that change between two look-ups all pass here. A resolver hook would not do: literal addresses are never resolved.
"""

import errno
import socket
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from aiohttp import AddrInfoType

from app.domain.webhooks.addresses import Guard, read_address

REFUSED = errno.EACCES, "refused"


class AddressRefused(OSError):
    """We may not connect to this address."""


class PlainHttpRefused(OSError):
    """We may connect to this address, but only over TLS."""


@dataclass(slots=True)
class Dial:
    """What one attempt tells the factory, and learns from it."""

    is_plain: bool
    opened: bool = False  # false after a request: it travelled on a connection that was already open


current_dial: ContextVar[Dial] = ContextVar("current_dial")


def guarded_sockets(guard: Guard) -> Callable[[AddrInfoType], socket.socket]:
    """A socket factory for aiohttp that opens nothing towards an address the guard refuses."""

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        dial = current_dial.get(None) or Dial(is_plain=False)
        _check(str(address[0]), guard=guard, is_plain=dial.is_plain)
        dial.opened = True
        return socket.socket(family, kind, protocol)

    return open_socket


def _check(host: str, *, guard: Guard, is_plain: bool) -> None:
    # Equal messages, without the address: aiohttp folds several refusals into one only if they read the same.
    address = read_address(host)
    if address is None or guard.why_refused(address):
        raise AddressRefused(errno.EACCES, "address refused")
    if is_plain and not guard.vouches_for(address):
        raise PlainHttpRefused(errno.EACCES, "plain http refused")
