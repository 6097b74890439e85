"""A caller that does not give up: the same request again until it is answered."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

from tests.end_to_end.crash.ledger import Ledger

PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 120.0


class NeverAnswered(Exception):
    """Not within PATIENCE_SECONDS, over and over again."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any
    is_certain: bool  # that no earlier try has done anything: there was none

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Caller:
    def __init__(self, session: aiohttp.ClientSession, ledger: Ledger) -> None:
        self.session, self.ledger = session, ledger

    async def insist(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        deadline = monotonic() + PATIENCE_SECONDS
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **(headers or {})}
        tries, refused = 0, 0
        while monotonic() < deadline:
            tries += 1
            answer = await self._try(method, path, data, headers)
            if answer is not None and answer[0] != 503:
                return Reply(*answer, is_certain=tries == 1)
            refused += answer is not None
            self.ledger.repeats += 1
            await asyncio.sleep(PAUSE_SECONDS)
        tried = f"in {tries} tries, {refused} of them refused with 503"
        self.ledger.trouble(f"{method} {path} was not answered for {PATIENCE_SECONDS} s, {tried}")
        raise NeverAnswered

    async def _try(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Any] | None:
        """None: the connection was refused or broke, and nobody knows what has become of the request."""
        try:
            async with self.session.request(method, path, data=data, headers=headers) as reply:
                content = await reply.read()
        except TimeoutError:
            self.ledger.trouble(f"{method} {path} hung")
            return None
        except (aiohttp.ClientError, OSError):
            return None
        if reply.status >= 500:
            self._check_refusal(method, path, reply, content)
        return reply.status, json.loads(content) if content else None

    def _check_refusal(self, method: str, path: str, reply: aiohttp.ClientResponse, content: bytes) -> None:
        """Of the refusals of a server, only the deliberate one is allowed."""
        is_deliberate = (
            reply.status == 503
            and reply.content_type == "application/problem+json"
            and "retry-after" in reply.headers
            and json.loads(content)["status"] == 503
        )
        if not is_deliberate:
            self.ledger.trouble(f"{method} {path} was answered {reply.status}: {content[:200]!r}")
