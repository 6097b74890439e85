"""A name server on loopback that answers from a zone, by UDP and TCP, and misbehaves where it is told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.exception import TooBig

UDP_BYTES, TCP_BYTES = 512, 65_535  # by UDP more, to whoever says that they take it
Zone = Mapping[str, Mapping[str, Sequence[str]]]  # what stands at a name, by type, as in a zone file


@dataclass
class NameServer:
    zone: Zone
    broken: frozenset[str] = frozenset()  # SERVFAIL
    silent: frozenset[str] = frozenset()
    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # name, type, transport

    def reply(self, raw: bytes, transport: str) -> bytes | None:
        query = dns.message.from_wire(raw)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype), transport))
        if name in self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        self._fill(response, name, dns.rdatatype.to_text(question.rdtype))
        if transport == "tcp":
            return response.to_wire(max_size=TCP_BYTES)
        try:
            return response.to_wire(max_size=query.payload if query.edns >= 0 else UDP_BYTES)
        except TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
            return
        if name not in self.zone and not any(other.endswith(f".{name}") for other in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        records = self.zone.get(name, {})
        for asked in {kind, "CNAME"} & records.keys():
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", asked, *records[asked]))
        for target in records.get("CNAME", ()):  # all the way, as a resolver does for its caller
            self._fill(response, target.rstrip("."), kind)


@asynccontextmanager
async def a_name_server(zone: Zone, **behaviour: frozenset[str]) -> AsyncIterator[NameServer]:
    server = NameServer(zone, **behaviour)
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(_conversation(server), "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(server), ("127.0.0.1", server.port))
    try:
        yield server
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (reply := self.server.reply(data, "udp")) is not None:
            self.transport.sendto(reply, addr)


def _conversation(server: NameServer) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        reply = server.reply(await reader.readexactly(size), "tcp") or b""
        writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()
        writer.close()

    return talk
