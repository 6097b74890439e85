"""A real CONNECT proxy on loopback. What it is asked for are public addresses, which it finds on loopback as well."""

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.config import Settings
from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.attempts import Failure
from app.outbound.http import GuardedClient
from app.outbound.proxy import ProxyUnusable
from tests.outbound.receivers import LOOPBACK, answer, answering, post, receiver
from tests.outbound.test_tls import certificate, served, trusting

__all__ = ["certificate", "served"]  # fixtures

PUBLIC, OTHER, INSIDE = "93.184.215.14", "93.184.215.15", "10.0.0.7"
OUTSIDE = Guard.read("")
OK = answering(answer("200 OK"))
NAMES = {"localhost": PUBLIC, "other.example": PUBLIC, "mixed.example": f"{INSIDE} {OTHER}", "inside.example": INSIDE}


@dataclass
class Proxy:
    port: int = 0
    says: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    asked: list[str] = field(default_factory=list)  # heads of requests

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [head.split()[1] for head in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.says)
            if b" 200 " in self.says:
                port = int(self.targets[-1].rpartition(":")[2])
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def a_proxy(**said: bytes) -> AsyncIterator[Proxy]:
    proxy, talks = Proxy(**said), set[asyncio.Task[None]]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(proxy.serve(reader, writer))
        talks.add(task)
        await asyncio.wait({task})

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def a_client(proxy: str, guard: Guard = OUTSIDE, *, tls: ssl.SSLContext | None = None) -> GuardedClient:
    return GuardedClient(guard, user_agent="Zeroten/test", tls=tls, lookup=lookup, proxy=proxy)


def lookup(host: str, port: int, *_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    addresses: Mapping[str, str] = {**NAMES, "127.0.0.1": "127.0.0.1"}
    if host not in addresses:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    stream = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
    return [(*stream, (address, port)) for address in addresses[host].split()]


async def test_the_proxy_is_asked_for_the_address_that_was_judged_and_tls_for_the_name(
    served: ssl.SSLContext, certificate: Path
) -> None:
    names: list[str | None] = []
    served.sni_callback = lambda _, name, __: names.append(name)
    async with (
        a_proxy() as proxy, receiver(OK, tls=served) as here, a_client(proxy.url, tls=trusting(certificate)) as client,
    ):  # fmt: skip
        for _ in range(2):
            outcome = await post(client, f"https://localhost:{here.port}/in?a=%2F")
            assert (outcome.status, outcome.failure) == (200, None)
    assert (proxy.targets, names) == ([f"{PUBLIC}:{here.port}"], ["localhost"])
    assert here.requests[0].startswith(b"POST /in?a=%2F HTTP/1.1\r\n")
    assert f"Host: localhost:{here.port}\r\n".encode() in here.requests[0]


async def test_names_at_one_address_share_no_connection(served: ssl.SSLContext, certificate: Path) -> None:
    async with (
        a_proxy() as proxy, receiver(OK, tls=served) as here, a_client(proxy.url, tls=trusting(certificate)) as client,
    ):  # fmt: skip
        assert (await post(client, f"https://localhost:{here.port}/")).status == 200
        stranger = await post(client, f"https://other.example:{here.port}/")
    assert (stranger.failure, len(here.requests)) == (Failure.TLS_FAILED, 1)


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("https://inside.example/", Failure.PRIVATE_ADDRESS),
        ("https://169.254.169.254/latest", Failure.PRIVATE_ADDRESS),
        ("https://127.0.0.1/", Failure.PRIVATE_ADDRESS),
        ("https://unknown.example/", Failure.DNS_FAILED),
        ("http://localhost/", Failure.PLAIN_HTTP),
    ],
)
async def test_the_proxy_is_not_asked_for_what_the_guard_refuses(url: str, failure: Failure) -> None:
    async with a_proxy() as proxy, a_client(proxy.url) as client:
        outcome = await post(client, url)
    assert (outcome.failure, outcome.sent, proxy.asked) == (failure, False, [])


async def test_of_several_addresses_it_is_asked_for_one_that_is_allowed() -> None:
    async with a_proxy(says=b"HTTP/1.1 502 Bad gateway\r\n\r\n") as proxy, a_client(proxy.url) as client:
        outcome = await post(client, "https://mixed.example/")
    assert (outcome.failure, outcome.sent) == (Failure.UNREACHABLE, False)
    assert set(proxy.targets) == {f"{OTHER}:443"}


async def test_what_the_operator_vouches_for_is_inside_and_needs_no_proxy() -> None:
    async with a_proxy() as proxy, receiver(OK) as here, a_client(proxy.url, LOOPBACK) as client:
        outcome = await post(client, here.url)
    assert (outcome.status, proxy.asked) == (200, [])


async def test_the_proxy_learns_who_we_are_and_the_receiver_does_not(served: ssl.SSLContext, certificate: Path) -> None:
    async with a_proxy() as proxy, receiver(OK, tls=served) as here:
        login = proxy.url.replace("//", "//zeroten:pass%20word@")
        async with a_client(login, tls=trusting(certificate)) as client:
            assert (await post(client, f"https://localhost:{here.port}/")).status == 200
    basic = b64encode(b"zeroten:pass word").decode()
    assert f"Proxy-Authorization: Basic {basic}" in proxy.asked[0]
    assert b"roxy" not in here.requests[0]


async def test_trouble_with_the_proxy_is_ours_and_quotes_no_url() -> None:
    async with a_proxy(says=b"HTTP/1.1 407 Who are you\r\n\r\n") as proxy:
        async with a_client(proxy.url) as client:
            with pytest.raises(ProxyUnusable, match="refuses its user name") as refused:
                await post(client, "https://localhost/?token=secret")
        gone = proxy.url
    async with a_client(gone) as client:
        with pytest.raises(ProxyUnusable, match="cannot be reached"):
            await post(client, "https://localhost/")
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    "url",
    ["https://proxy.example:3128", "socks5://proxy.example", "proxy.example:3128", "http://", "http://u:hush@[proxy"],
)
def test_a_proxy_that_we_could_not_speak_to_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError, match="ZEROTEN_OUTBOUND_PROXY reads") as refused:
        Settings(outbound_proxy=url)
    assert "hush" not in str(refused.value)
