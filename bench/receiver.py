"""The least a webhook receiver can do: say 200. `GET /count` tells how many it has said it to."""

import asyncio
import os
from typing import cast

import uvloop

from app.lifeline import end_with_parent

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
END_OF_HEAD, LENGTH = b"\r\n\r\n", b"\r\ncontent-length: "
received = 0


class Receiver(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while END_OF_HEAD in self.buffer and self._take():
            pass

    def _take(self) -> bool:
        """Whether a whole request was there."""
        head, _, rest = self.buffer.partition(END_OF_HEAD)
        place = head.lower().find(LENGTH)
        length = int(head[place + len(LENGTH) :].partition(b"\r\n")[0]) if place >= 0 else 0
        if len(rest) < length:
            return False
        self.buffer = rest[length:]
        self.transport.write(self.answer(head, rest[:length]))
        return True

    def answer(self, head: bytes, _body: bytes) -> bytes:
        global received  # noqa: PLW0603 - one number for the whole program
        if head.startswith(b"GET /count "):
            told = str(received).encode()
            return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(told), told)
        received += 1
        return OK


async def receive(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    end_with_parent()
    uvloop.run(receive(int(os.environ["ZEROTEN_PORT"])))
