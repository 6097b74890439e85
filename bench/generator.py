"""A load generator for machines without wrk: `python -m bench.generator PORT CONNECTIONS SECONDS FILE [RATE]`.

Without a rate each connection sends its next request as soon as it has its reply. With one, requests are sent by the
clock, whether or not earlier replies have come, and a latency counts from when its request was due.
"""

import asyncio
import json
import sys
from collections import deque
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

from bench.figures import percentile
from bench.requests import read

END_OF_HEAD, LENGTH = b"\r\n\r\n", b"content-length:"


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, as far as our own servers speak it."""

    def __init__(self, generator: "Generator") -> None:
        self.generator, self.sent_at, self.buffer = generator, 0.0, b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.generator.idle(self)

    def send(self, request: bytes, due_at: float) -> None:
        self.sent_at = due_at
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(END_OF_HEAD)
        if not separator:
            return
        place = head.lower().find(LENGTH)
        length = int(head[place + len(LENGTH) :].split(b"\r\n")[0]) if place >= 0 else 0
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.generator.answered(self, status=int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.generator.lost(exc)


class Generator:
    def __init__(self, requests: list[bytes], *, seconds: float, rate: float | None) -> None:
        self.requests, self.seconds, self.rate = cycle(requests), seconds, rate
        self.started_at = perf_counter()
        self.latencies: list[float] = []
        self.errors = 0
        self.free: deque[Connection] = deque()
        self.overdue: deque[float] = deque()

    @property
    def is_over(self) -> bool:
        return perf_counter() - self.started_at > self.seconds

    def idle(self, connection: Connection) -> None:
        if self.is_over:
            return
        if self.rate is None:
            connection.send(next(self.requests), perf_counter())
        elif self.overdue:
            connection.send(next(self.requests), self.overdue.popleft())
        else:
            self.free.append(connection)

    def answered(self, connection: Connection, *, status: int) -> None:
        self.latencies.append(perf_counter() - connection.sent_at)
        self.errors += status >= 400
        self.idle(connection)

    def lost(self, error: Exception | None) -> None:
        self.errors += error is not None or not self.is_over

    async def tick(self) -> None:
        assert self.rate is not None
        due_at = perf_counter()
        while not self.is_over:
            while due_at <= perf_counter():
                self._due(due_at)
                due_at += 1 / self.rate
            await asyncio.sleep(max(0.0, due_at - perf_counter()))

    def _due(self, due_at: float) -> None:
        if self.free:
            self.free.popleft().send(next(self.requests), due_at)
        else:
            self.overdue.append(due_at)


async def generate(port: int, connections: int, seconds: float, path: Path, rate: float | None) -> dict[str, float]:
    generator = Generator(read(path), seconds=seconds, rate=rate)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(generator), "127.0.0.1", port) for _ in range(connections)
    ]
    await (generator.tick() if rate else asyncio.sleep(seconds))
    took = perf_counter() - generator.started_at
    latencies = sorted(generator.latencies)
    for transport, _ in opened:
        transport.close()
    return {
        "requests": len(latencies),
        "seconds": took,
        "p50_ms": percentile(latencies, 50) * 1e3,
        "p99_ms": percentile(latencies, 99) * 1e3,
        "errors": generator.errors,
    }


if __name__ == "__main__":
    port, connections, seconds, path, *rest = sys.argv[1:]
    rate = float(rest[0]) if rest else None
    print(json.dumps(uvloop.run(generate(int(port), int(connections), float(seconds), Path(path), rate))))
