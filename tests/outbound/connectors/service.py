"""Somebody else's service in small, on loopback: behaves as the vendor does, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.outbound.receivers import Receiver, Script, answer, read_request, receiver


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    form: Mapping[str, str]


@dataclass
class Said:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, body: Any, **headers: str) -> "Said":
        return cls(status, json.dumps(body).encode(), {"content-type": "application/json", **headers})


class Service:
    """Subclasses reply as their vendor does; `troubles` come first, one for each request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.troubles: list[Said | None] = []  # none: as usual
        self.url = ""

    def reply(self, asked: Asked) -> Said:
        raise NotImplementedError

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        trouble = self.troubles.pop(0) if self.troubles else None
        return trouble or self.reply(asked)

    @property
    def bodies(self) -> list[Any]:
        return [asked.json for asked in self.asked if asked.json is not None]


@asynccontextmanager
async def at(service: Service) -> AsyncIterator[Service]:
    def script(here: Receiver) -> Script:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                said = service.answer(_read(await read_request(here, reader)))
                lines = [f"{name}: {value}" for name, value in said.headers.items()]
                writer.write(answer(f"{said.status} So", *lines, body=said.body))
                await writer.drain()

        return converse

    async with receiver(script) as here:
        service.url = f"http://127.0.0.1:{here.port}"
        yield service


def _read(request: bytes) -> Asked:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    parts = urlsplit(target)
    form = dict(parse_qsl(body.decode())) if "urlencoded" in headers.get("content-type", "") else {}
    said = json.loads(body) if body and not form else None
    return Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, said, form)
