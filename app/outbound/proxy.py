"""The way out where there is none but a proxy.

A proxy opens the sockets, so a guard of ours would see the proxy's address and no other. Hence the name is looked up
and judged here, and the proxy is asked to connect to the address that was judged: a second look-up, by the proxy,
could say something else. TLS and the Host header go by the name all the same. What the operator vouches for lies
inside, where no proxy is needed.
"""

import socket
from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from aiohttp import AddrInfoType, encode_basic_auth
from yarl import URL

from app.domain.webhooks.addresses import Address, Guard, read_address
from app.outbound.guard import REFUSED, AddressRefused, PlainHttpRefused, current_dial
from app.outbound.resolver import PatientResolver

LOOKED_UP_SECONDS = 30
MOST_NAMES = 10_000


class ProxyUnusable(Exception):
    """The proxy is away or does not know us, which is no receiver's fault."""


class NameUnknown(OSError):
    """The name has no address."""


@dataclass(frozen=True, slots=True)
class Proxy:
    url: URL
    headers: Mapping[str, str]  # for its eyes only

    @classmethod
    def read(cls, text: str) -> Self:
        """From `http://user:password@host:port`."""
        url = URL(text)
        login = {"Proxy-Authorization": encode_basic_auth(url.user, url.password or "")} if url.user else {}
        return cls(url.with_user(None), login)


@dataclass(frozen=True, slots=True)
class Tunnel:
    url: URL  # with the address in place of the name
    host: str  # for the Host header
    name: str | None  # for TLS; none: it is the address


class Tunnels:
    def __init__(self, guard: Guard, resolver: PatientResolver) -> None:
        self._guard, self._resolver = guard, resolver
        self._looked_up: dict[str, tuple[float, Sequence[Address]]] = {}

    async def to(self, target: URL) -> Tunnel | None:
        """None for what is inside. Raises AddressRefused, PlainHttpRefused, NameUnknown."""
        host = target.raw_host or ""
        addresses = await self._addresses(host)
        if any(self._guard.vouches_for(address) for address in addresses):
            return None  # the guard of the sockets looks at it again
        allowed = [address for address in addresses if not self._guard.why_refused(address)]
        if not allowed:
            raise AddressRefused(*REFUSED)
        if target.scheme == "http":
            raise PlainHttpRefused(*REFUSED)
        address = min(allowed, key=lambda one: one.version)  # every proxy reaches IPv4
        return Tunnel(target.with_host(str(address)), target.raw_authority, None if read_address(host) else host)

    async def _addresses(self, host: str) -> Sequence[Address]:
        literal = read_address(host)
        if literal is not None:
            return [literal]
        now = get_running_loop().time()
        until, addresses = self._looked_up.get(host, (0.0, ()))
        if until < now:
            addresses = await self._look_up(host)
            if len(self._looked_up) >= MOST_NAMES:
                self._looked_up.clear()
            self._looked_up[host] = now + LOOKED_UP_SECONDS, addresses
        return addresses

    async def _look_up(self, host: str) -> Sequence[Address]:
        try:
            found = await self._resolver.resolve(host)
        except OSError as error:
            raise NameUnknown(*error.args) from error
        return [address for entry in found if (address := read_address(entry["host"]))]


def sockets_to_proxy(info: AddrInfoType) -> socket.socket:
    """Only ever to the proxy, which the operator named, wherever it is."""
    family, kind, protocol, _, _ = info
    if dial := current_dial.get(None):
        dial.opened = True
    return socket.socket(family, kind, protocol)
