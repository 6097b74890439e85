"""Receivers on loopback that behave as well, or as badly, as a test needs."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.attempts import Outcome
from app.outbound.http import GuardedClient
from app.outbound.resolver import Lookup

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
LOOPBACK = Guard(allow_loopback=True)

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"


@asynccontextmanager
async def receiver(
    script: Callable[[Receiver], Script], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Runs `script` for every connection; cuts those still open at the end."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.connections += 1
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await script(here)(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    here = Receiver(port=server.sockets[0].getsockname()[1])
    try:
        yield here
    finally:
        server.close()
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations)


async def read_request(here: Receiver, reader: asyncio.StreamReader) -> bytes:
    """One whole request, remembered. Raises IncompleteReadError when the client hangs up."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    here.requests.append(head + await reader.readexactly(next(lengths, 0)))
    here.asked.set()
    return here.requests[-1]


def answering(*answers: bytes) -> Callable[[Receiver], Script]:
    """The nth request gets the nth answer, and the last one goes on for ever."""

    def script(here: Receiver) -> Script:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await read_request(here, reader)
                writer.write(answers[min(len(here.requests), len(answers)) - 1])
                await writer.drain()

        return converse

    return script


def doing(act: Script) -> Callable[[Receiver], Script]:
    """Reads one request, then does `act`."""

    def script(here: Receiver) -> Script:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(here, reader)
            await act(reader, writer)

        return converse

    return script


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means RST
    writer.transport.abort()


def a_client(
    guard: Guard = LOOPBACK, *, tls: ssl.SSLContext | None = None, lookup: Lookup = socket.getaddrinfo
) -> GuardedClient:
    return GuardedClient(guard, user_agent="Zeroten/test", tls=tls, lookup=lookup)


async def post(
    client: GuardedClient, url: str, *, body: bytes = b'{"score": 9}', deadline_seconds: float = 5.0
) -> Outcome:
    headers = {"content-type": "application/json"}
    return await client.post(url, headers=headers, body=body, now=NOW, deadline_seconds=deadline_seconds)
