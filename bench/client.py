"""A small HTTP client for what is not measured, or measured one request at a time: raw bytes on kept connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PIECE_BYTES = 1 << 18


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, request: bytes) -> Any:
        """The JSON of the reply. Raises RuntimeError unless it was a success."""
        self.writer.write(request)
        return await self.reply()

    async def send_file(self, head: bytes, path: Path) -> Any:
        self.writer.write(head)
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                self.writer.write(piece)
                await self.writer.drain()
        return await self.reply()

    async def reply(self) -> Any:
        return json.loads(await self.body_of("2"))

    async def body_of(self, kind: str) -> bytes:
        """Raises RuntimeError unless its status begins with this digit."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(int(line[15:]) for line in head.splitlines() if line.startswith("content-length:"))
        body = await self.reader.readexactly(length)
        if head[9] != kind:
            raise RuntimeError(f"{head[:12]}: {body.decode()}")
        return body


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def send_all(
    requests: Iterable[bytes], *, port: int, connections: int, after_each: Callable[[], None] = lambda: None
) -> None:
    """Each once, on so many connections at a time."""
    waiting = iter(requests)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(_send_some(waiting, port, after_each))


async def _send_some(waiting: Iterator[bytes], port: int, after_each: Callable[[], None]) -> None:
    async with connected(port) as client:
        for request in waiting:
            await client.send(request)
            after_each()
