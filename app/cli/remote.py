"""The API of a Zeroten, here or elsewhere, as its callers meet it."""

import json
import os
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientTimeout
from yarl import URL

from app.cli.refusal import Refusal
from app.clock import utc_now
from app.domain.webhooks.addresses import Guard
from app.outbound.http import GuardedClient
from app.outbound.retry_after import read_retry_after

ANSWER_SECONDS = 15.0
ANYWHERE = "0.0.0.0/0, ::/0"  # this is a person's own machine, not a server that strangers name URLs to
LATER = {408, 429, 500, 502, 503, 504}


class Unreachable(Exception):
    """Worth trying again."""

    def __init__(self, reason: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Remote:
    def __init__(self, client: GuardedClient, url: str, key: str) -> None:
        self.client, self.url, self._key = client, url.rstrip("/"), key

    @property
    def is_test(self) -> bool:
        return self._key.startswith("zt_sk_test_")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        body: Any = None,
        csv: bytes | None = None,
        wait_seconds: float = 0.0,
    ) -> Any:
        """Sends `body` as JSON, or a file. What it answers, read as JSON; None where it says nothing.

        Raises Refusal, or Unreachable.
        """
        try:
            reply = await self.client.session.request(
                method,
                URL(self.url + path).with_query(params),
                json=body,
                data=csv,
                headers={"Authorization": f"Bearer {self._key}", **({"Content-Type": "text/csv"} if csv else {})},
                timeout=ClientTimeout(total=wait_seconds + ANSWER_SECONDS),
                allow_redirects=False,
            )
            async with reply:
                return _told(reply, await reply.read())
        except (ClientError, TimeoutError) as error:
            raise Unreachable(f"{self.url} does not answer ({type(error).__name__})") from error


def _told(reply: ClientResponse, content: bytes) -> Any:
    if reply.status in LATER:
        seconds = read_retry_after(reply.headers.get("Retry-After"), now=utc_now())
        raise Unreachable(f"it answered {_explained(reply.status, content)}", retry_after_seconds=seconds or 0.0)
    if not reply.ok or reply.status >= 300:
        raise Refusal(_explained(reply.status, content))
    return _read(content) if content else None


def _explained(status: int, content: bytes) -> str:
    """A problem document in one line; whatever else it may be, its status."""
    try:
        problem = json.loads(content)
        faults = [f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", ())]
        return " ".join([f"{status}, {problem['title']}:", problem["detail"], *faults])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{status}, and not as the API of Zeroten would. Is the address right?"


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise Refusal("What answers there is not the API of Zeroten. Is the address right?") from None


@asynccontextmanager
async def reached(arguments: Namespace) -> AsyncIterator[Remote]:
    """As `--url` and `--key` say, or else the environment. Raises Refusal."""
    url = _checked(arguments.url)
    guard = Guard.read(ANYWHERE)
    async with GuardedClient(guard, user_agent=f"Zeroten/{version('zeroten')}") as client:
        yield Remote(client, url, key_in(arguments, os.environ))


def key_in(arguments: Namespace, environment: Mapping[str, str]) -> str:
    key: str = arguments.key or environment.get("ZEROTEN_KEY", "")
    if not key.startswith("zt_sk_") or not key.isascii() or not key.isprintable():
        raise Refusal("Set ZEROTEN_KEY to a secret key, zt_sk_…; `zeroten key create` makes one.")
    return key.strip()


def _checked(url: str) -> str:
    try:
        parts = URL(url)
    except ValueError:
        parts = URL()
    if parts.scheme not in {"http", "https"} or not parts.host or parts.query_string:
        raise Refusal("The address of the service starts with https:// or http://; say it with --url or ZEROTEN_URL.")
    return url
