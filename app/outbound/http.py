"""The one HTTP client that leaves this house.

It connects only where the guard allows, follows no redirect, keeps no cookie, ignores proxy settings of the
environment, reads no more of an answer than it keeps, and ends every attempt by its deadline. Whatever the far side
does becomes an Outcome; exceptions are left for what is wrong on our side.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from http import HTTPStatus
from time import monotonic
from typing import Self

from aiohttp import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.attempts import Failure, Outcome, failure_of
from app.domain.webhooks.receiver_url import UnusableURL, split_receiver_url
from app.domain.webhooks.request_head import request_head, request_line
from app.outbound.guard import AddressRefused, Dial, PlainHttpRefused, current_dial, guarded_sockets
from app.outbound.proxy import NameUnknown, Proxy, ProxyUnusable, Tunnels, sockets_to_proxy
from app.outbound.resolver import Lookup, PatientResolver
from app.outbound.retry_after import read_retry_after

HEAD_BYTES = 8_192  # of a body: enough for an error message
HEAD_SECONDS = 2.0  # the status has decided already; a dripping body is not worth a place in flight
CONNECT_SHARE = 2 / 3  # of the deadline, so that a slow connection still leaves time for an answer
KEEP_ALIVE_SECONDS = 4.0  # less than the 5 s after which Node and uvicorn hang up
DNS_CACHE_SECONDS = 30
DNS_CACHE_NAMES = 10_000
HEADER_BYTES, HEADER_LINES = 8_190, 100  # per line; in all

FAILURES: Mapping[type[Exception], Failure] = {
    UnusableURL: Failure.BAD_URL,
    NameUnknown: Failure.DNS_FAILED,
    AddressRefused: Failure.PRIVATE_ADDRESS,
    PlainHttpRefused: Failure.PLAIN_HTTP,
    ClientHttpProxyError: Failure.UNREACHABLE,
    ConnectionTimeoutError: Failure.CONNECT_TIMEOUT,
    TimeoutError: Failure.TIMEOUT,
    ClientResponseError: Failure.NOT_HTTP,
    ClientError: Failure.RESET,
}  # the first that fits
BEFORE_CONNECTING = (UnusableURL, NameUnknown, AddressRefused, PlainHttpRefused)
BEFORE_SENDING = (*BEFORE_CONNECTING, ClientConnectorError, ClientHttpProxyError, ConnectionTimeoutError)
CONNECT_FAILURES: Mapping[type[OSError], Failure] = {
    AddressRefused: Failure.PRIVATE_ADDRESS,
    PlainHttpRefused: Failure.PLAIN_HTTP,
    ConnectionRefusedError: Failure.REFUSED,
    ConnectionError: Failure.RESET,  # while the TLS handshake was under way
    TimeoutError: Failure.CONNECT_TIMEOUT,  # the kernel's, sooner than ours
}
# What keeps a connection from coming about and may be over in a moment: a restart, a flapping route, a lost look-up.
PASSING = frozenset({Failure.REFUSED, Failure.RESET, Failure.UNREACHABLE, Failure.DNS_FAILED})
MOMENT_SECONDS = 1.0  # what failed later than this did not fail by accident, and the deadline runs

# Running out of these is our own trouble and must not count as an attempt of the receiver's.
OUR_OWN_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    has_id: bool = True  # by which the receiver knows it again, so that sending it twice does no harm
    has_secrets: bool = False  # in its path, headers or body

    def head(self, *, failed: bool) -> str:
        """As the log keeps it."""
        line = request_line(self.method, self.url, with_path=not self.has_secrets)
        return request_head(line, self.headers, self.body) if failed and not self.has_secrets else line


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    headers: Mapping[str, str]  # whatever their case; none without an answer


class GuardedClient:
    """`async with GuardedClient(guard, user_agent=…) as client`: one per process, made inside the running loop."""

    def __init__(
        self,
        guard: Guard,
        *,
        user_agent: str,
        tls: ssl.SSLContext | None = None,
        lookup: Lookup = socket.getaddrinfo,
        proxy: str | None = None,
    ) -> None:
        """`proxy`: where everything goes that the operator does not vouch for."""
        resolver = PatientResolver(lookup)
        connect = partial(
            TCPConnector,
            resolver=resolver,
            ttl_dns_cache=DNS_CACHE_SECONDS,
            dns_cache_max_size=DNS_CACHE_NAMES,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            limit=0,  # whoever claims the work limits what is in flight
            ssl=tls or True,
        )
        self.session = _session(connect(socket_factory=guarded_sockets(guard)), user_agent=user_agent)
        self._tunnels, self._outside = Tunnels(guard, resolver), self.session
        self._proxy = Proxy.read(proxy) if proxy is not None else None
        if self._proxy is not None:
            outside = connect(socket_factory=sockets_to_proxy)
            self._outside = _session(outside, user_agent=user_agent, proxy=self._proxy.url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.session.close()
        await self._outside.close()

    async def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, now: datetime, deadline_seconds: float
    ) -> Outcome:
        """One attempt, over within `deadline_seconds` whatever the far side does. `now` reads Retry-After dates."""
        request = Request("POST", url, headers, body)
        return (await self.ask(request, now=now, deadline_seconds=deadline_seconds)).outcome

    async def ask(
        self, request: Request, *, now: datetime, deadline_seconds: float, head_bytes: int = HEAD_BYTES
    ) -> Answer:
        """The same for whoever wants more of the answer than how it ended."""
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            async with asyncio.timeout(deadline_seconds):
                reply = await self._send(request, limits=_limits(deadline_seconds))
        except (ClientError, TimeoutError, *BEFORE_CONNECTING) as error:
            return Answer(_failed(error, request, duration_ms=_milliseconds(clock() - started)), {})
        seconds = min(HEAD_SECONDS, started + deadline_seconds - clock())
        head = await _read_head(reply, seconds=seconds, most=head_bytes)
        outcome = _answered(reply, request, head=head, now=now, duration_ms=_milliseconds(clock() - started))
        return Answer(outcome, reply.headers)

    async def _send(self, request: Request, *, limits: ClientTimeout) -> ClientResponse:
        target = _target(request.url)
        send = partial(await self._way_to(target, request), data=request.body or None, timeout=limits)
        dial = Dial(is_plain=target.scheme == "http")
        current_dial.set(dial)
        started = monotonic()
        try:
            return await send()
        except ClientConnectorError as error:
            if _connect_failure(error) not in PASSING or monotonic() - started > MOMENT_SECONDS:
                raise
        except ClientConnectionError as error:
            if dial.opened or isinstance(error, TimeoutError) or not request.has_id:
                raise
        # Nothing was sent, or a connection kept from earlier died just as we used it. That is nobody's failed attempt.
        return await send()

    async def _way_to(self, target: URL, request: Request) -> Callable[..., Awaitable[ClientResponse]]:
        headers = request.headers
        tunnel = await self._tunnels.to(target) if self._proxy is not None else None
        if tunnel is None or self._proxy is None:
            return partial(self.session.request, request.method, target, headers=headers, allow_redirects=False)
        return partial(
            self._outside.request, request.method, tunnel.url, headers={**headers, "Host": tunnel.host},
            server_hostname=tunnel.name, proxy_headers=self._proxy.headers, allow_redirects=False,
        )  # fmt: skip


def _session(connector: TCPConnector, *, user_agent: str, proxy: URL | None = None) -> ClientSession:
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,  # a few kB can unpack to gigabytes
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        max_headers=HEADER_LINES,
        skip_auto_headers=["Accept-Encoding"],
        headers={"User-Agent": user_agent},
        proxy=proxy,
    )


@lru_cache(maxsize=4_096)
def _target(url: str) -> URL:
    """Exactly the URL that was saved: normalising escapes would break URLs that carry their own signature."""
    split_receiver_url(url)
    return URL(url, encoded=True)


@lru_cache(maxsize=16)
def _limits(deadline_seconds: float) -> ClientTimeout:
    return ClientTimeout(total=None, connect=deadline_seconds * CONNECT_SHARE)


async def _read_head(reply: ClientResponse, *, seconds: float, most: int) -> bytes:
    """The first bytes of the body; what has not arrived by then is never read."""
    if reply.content.is_eof():  # it came with the headers, as short ones do: spare the timer
        return reply.content.read_nowait(most)
    head = b""
    try:
        async with asyncio.timeout(seconds):
            while piece := await reply.content.read(most - len(head)):
                head += piece
    except (TimeoutError, ClientError):
        pass  # the status stands
    finally:
        reply.close()  # drops the connection if the body has not ended
    return head


def _answered(reply: ClientResponse, request: Request, *, head: bytes, now: datetime, duration_ms: int) -> Outcome:
    failure = failure_of(reply.status)
    return Outcome(
        status=reply.status,
        failure=failure,
        retry_after_seconds=read_retry_after(reply.headers.get("Retry-After"), now=now),
        head=head,
        duration_ms=duration_ms,
        sent=True,
        request_head=request.head(failed=failure is not None),
    )


def _failed(error: Exception, request: Request, *, duration_ms: int) -> Outcome:
    return Outcome(
        status=None,
        failure=_failure(error),
        retry_after_seconds=None,
        head=b"",
        duration_ms=duration_ms,
        sent=not isinstance(error, BEFORE_SENDING),
        request_head=request.head(failed=True),
    )


def _failure(error: Exception) -> Failure:
    """Raises ProxyUnusable, and the error again when it is our own."""
    _check_proxy(error)
    if isinstance(error, ClientConnectorError):
        return _connect_failure(error)
    for kind, failure in FAILURES.items():
        if isinstance(error, kind):
            return failure
    raise error


def _check_proxy(error: Exception) -> None:
    """Raises ProxyUnusable, without what aiohttp says beside it: that quotes URLs."""
    if isinstance(error, ClientProxyConnectionError):
        raise ProxyUnusable("the proxy of ZEROTEN_OUTBOUND_PROXY cannot be reached") from None
    if isinstance(error, ClientHttpProxyError) and error.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise ProxyUnusable("the proxy of ZEROTEN_OUTBOUND_PROXY refuses its user name or password") from None


def _connect_failure(error: ClientConnectorError) -> Failure:
    if error.errno in OUR_OWN_ERRORS:
        raise error
    if isinstance(error, ClientConnectorDNSError):
        return Failure.DNS_FAILED
    if isinstance(error, ClientSSLError):
        return Failure.TLS_FAILED
    for kind, failure in CONNECT_FAILURES.items():
        if isinstance(error.os_error, kind):
            return failure
    return Failure.UNREACHABLE


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)
