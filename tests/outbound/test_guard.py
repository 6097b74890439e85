import asyncio
import socket
import threading

import pytest
from aiohttp import ClientConnectorError, InvalidURL

from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.attempts import Failure
from app.outbound.guard import AddressRefused, Dial, PlainHttpRefused, current_dial, guarded_sockets
from app.outbound.http import GuardedClient
from app.outbound.resolver import PatientResolver
from tests.outbound.receivers import LOOPBACK, Receiver, a_client, answer, answering, post, receiver

CLOSED = Guard()
OK = answering(answer("200 OK"))


def at(here: Receiver, host: str) -> str:
    return f"http://{host}:{here.port}/hooks"


def leading_to(*addresses: str):
    """A look-up that knows one answer per call, the last one for ever."""
    calls = iter(addresses)
    last = addresses[-1]

    def lookup(host, port, *_, **__):
        address = next(calls, last)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    return lookup


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]", "[::1]", "127.0.0.2"])
async def test_loopback_is_refused_unless_the_operator_allows_it(host):
    async with receiver(OK) as here, a_client(CLOSED) as client:
        outcome = await post(client, at(here, host))

    assert (outcome.failure, outcome.sent, here.connections) == (Failure.PRIVATE_ADDRESS, False, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("guard", [LOOPBACK, Guard.read("10.0.0.0/8, 127.0.0.1/32")], ids=["dev", "by network"])
async def test_loopback_is_reached_when_the_operator_allows_it(host, guard):
    async with receiver(OK) as here, a_client(guard) as client:
        outcome = await post(client, at(here, host))

    assert (outcome.status, here.connections) == (200, 1)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::ffff:7f00:1]", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "localhost"],
)
async def test_the_socket_itself_is_guarded_whatever_the_spelling(host):
    """Past every check of URLs: straight through the session, as a connector uses it."""
    async with receiver(OK) as here, a_client(CLOSED) as client:
        with pytest.raises((ClientConnectorError, InvalidURL)) as raised:
            await client.session.get(at(here, host))

    refused_by_us = isinstance(getattr(raised.value, "os_error", None), AddressRefused)
    refused_by_aiohttp = isinstance(raised.value, InvalidURL)  # newer releases know the odd spellings too
    assert refused_by_us or refused_by_aiohttp
    assert here.connections == 0


@pytest.mark.parametrize("spelling", ["2130706433", "0177.0.0.1", "127.1", "fe80::1%lo", "::1%lo", "not an address"])
def test_what_cannot_be_read_as_one_address_opens_no_socket(spelling):
    with pytest.raises(AddressRefused):
        guarded_sockets(LOOPBACK)((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (spelling, 80)))


async def test_a_name_that_changes_its_mind_is_caught_at_the_second_connection():
    lookup = leading_to("127.0.0.1", "127.0.0.2")
    guard = Guard.read("127.0.0.1/32")
    async with receiver(OK) as here, GuardedClient(guard, user_agent="t", lookup=lookup) as client:
        first = await post(client, at(here, "rebinding.example"))
        client.session.connector.clear_dns_cache()
        client.session.connector._conns.clear()
        second = await post(client, at(here, "rebinding.example"))

    assert (first.status, second.failure, here.connections) == (200, Failure.PRIVATE_ADDRESS, 1)


async def test_a_name_with_several_addresses_reaches_only_the_allowed_one():
    def lookup(host, port, *_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("127.0.0.9", "10.9.8.7", "127.0.0.1")]

    async with (
        receiver(OK) as here,
        GuardedClient(Guard.read("127.0.0.1/32"), user_agent="t", lookup=lookup) as client,
        GuardedClient(CLOSED, user_agent="t", lookup=lookup) as closed,
    ):
        outcome = await post(client, at(here, "several.example"))
        refused = await post(closed, at(here, "several.example"))

    assert (outcome.status, refused.failure) == (200, Failure.PRIVATE_ADDRESS)


@pytest.mark.parametrize(
    "lookup_error", [socket.gaierror(-2, "Name or service not known"), socket.gaierror(-3, "Try again")]
)
async def test_a_name_that_leads_nowhere_is_a_dns_failure(lookup_error):
    def lookup(*_, **__):
        raise lookup_error

    async with GuardedClient(LOOPBACK, user_agent="t", lookup=lookup) as client:
        outcome = await post(client, "http://nowhere.example/")

    assert (outcome.failure, outcome.sent) == (Failure.DNS_FAILED, False)


async def test_names_with_silent_servers_do_not_hold_up_the_others():
    loop, asked, answered = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def lookup(host, port, *_, **__):
        if host.startswith("silent"):
            loop.call_soon_threadsafe(asked.set)
            answered.wait(timeout=10)
        return leading_to("127.0.0.1")(host, port)

    async with receiver(OK) as here, GuardedClient(LOOPBACK, user_agent="t", lookup=lookup) as client:
        silent = [post(client, at(here, f"silent-{n}.example"), deadline_seconds=0.6) for n in range(32)]
        waiting = asyncio.gather(*silent)
        await asked.wait()  # the first is being looked up, so all have been asked for
        healthy = await post(client, at(here, "healthy.example"))
        outcomes = await waiting
        answered.set()

    assert healthy.status == 200
    assert {outcome.failure for outcome in outcomes} == {Failure.CONNECT_TIMEOUT}


async def test_literal_addresses_are_never_looked_up():
    def lookup(*_, **__):
        raise AssertionError("looked up")

    async with receiver(OK) as here, GuardedClient(LOOPBACK, user_agent="t", lookup=lookup) as client:
        assert (await post(client, here.url)).status == 200


async def test_plain_http_goes_only_where_the_operator_allows():
    """Nothing leaves this machine: the socket is refused before it exists."""
    async with a_client() as client:
        outcome = await post(client, "http://1.1.1.1/")

    assert (outcome.failure, outcome.sent) == (Failure.PLAIN_HTTP, False)


def test_over_tls_the_open_internet_is_fine():
    public = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("1.1.1.1", 443))
    dial = Dial(is_plain=False)
    current_dial.set(dial)
    guarded_sockets(CLOSED)(public).close()
    assert dial.opened

    current_dial.set(Dial(is_plain=True))
    with pytest.raises(PlainHttpRefused):
        guarded_sockets(CLOSED)(public)


async def test_the_resolver_reads_ipv6_answers():
    resolver = PatientResolver(
        lambda host, port, *_, **__: [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:4860::1", port, 0, 0))]
    )
    (found,) = await resolver.resolve("six.example", 443)
    await resolver.close()

    assert (found["host"], found["port"], found["family"]) == ("2001:4860::1", 443, socket.AF_INET6)
