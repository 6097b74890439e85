"""A pooler that lends one PostgreSQL connection to all its clients, a transaction at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit, urlunsplit

SSL_REQUEST = 80877103

Asking = asyncio.Task[tuple[bytes, bytes]]


@asynccontextmanager
async def transaction_pooler(url: str) -> AsyncIterator[str]:
    """The URL of the same database through the pooler."""
    pooler = _Pooler(url)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    credentials, _, _ = parts.netloc.rpartition("@")
    try:
        yield urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}", query=""))
    finally:
        server.close()
        await pooler.close()


class _Pooler:
    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = asyncio.Lock()
        self._greeting = b""
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            startup = await _startup(reader, writer)
            async with self._turn:
                if self._writer is None:
                    await self._log_in(startup, reader, writer)
                else:
                    writer.write(self._greeting)
            asking = asyncio.create_task(_message(reader))
            while (await asking)[0] != b"X":
                asking = await self._transaction(asking, reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def _log_in(self, startup: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The first client answers PostgreSQL's questions; what it is told after that, later clients are told too."""
        self._reader, self._writer = await _connect(self._url)
        self._writer.write(startup)
        answering = asyncio.create_task(_pipe(reader, self._writer))
        is_in = False
        while True:
            kind, message = await _message(self._reader)
            writer.write(message)
            is_in = is_in or (kind == b"R" and message[5:9] == bytes(4))
            self._greeting += message if is_in else b""
            if kind == b"Z":
                break
        answering.cancel()
        await asyncio.wait([answering])

    async def _transaction(self, asking: Asking, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asking:
        """From one message to the reply after which no transaction is open; returns the wait for the next message."""
        async with self._turn:
            answering = asyncio.create_task(self._answer_until_idle(writer))
            while True:
                await asyncio.wait([asking, answering], return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    return asking
                assert self._writer is not None
                self._writer.write((await asking)[1])
                asking = asyncio.create_task(_message(reader))

    async def _answer_until_idle(self, writer: asyncio.StreamWriter) -> None:
        is_idle = False
        while not is_idle:
            kind, message = await _message(self._reader)
            writer.write(message)
            is_idle = kind == b"Z" and message[5:6] == b"I"

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        length = await reader.readexactly(4)
        body = await reader.readexactly(int.from_bytes(length) - 4)
        if int.from_bytes(body[:4]) != SSL_REQUEST:
            return length + body
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind, length = await reader.readexactly(1), await reader.readexactly(4)
    return kind, kind + length + await reader.readexactly(int.from_bytes(length) - 4)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    sockets, port = parse_qs(parts.query).get("host"), parts.port or 5432
    if sockets:
        return await asyncio.open_unix_connection(f"{sockets[0]}/.s.PGSQL.{port}")
    return await asyncio.open_connection(parts.hostname, port)
