import asyncio
import errno
import os
import resource
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import ClientConnectorError

from app.domain.webhooks.attempts import Failure, Outcome
from app.outbound.http import HEAD_BYTES, Request
from app.outbound.retry_after import read_retry_after
from tests.outbound.receivers import (
    NOW,
    Receiver,
    Script,
    a_client,
    answer,
    answering,
    doing,
    hang,
    post,
    read_request,
    receiver,
    reset,
)

GIGABYTE = 1 << 30


async def outcome_of(script, **options) -> Outcome:
    async with receiver(script) as here, a_client() as client:
        return await post(client, here.url, **options)


async def test_a_2xx_is_a_delivery():
    outcome = await outcome_of(answering(answer("202 Accepted", body=b"thanks")))

    assert (outcome.status, outcome.failure, outcome.head, outcome.sent) == (202, None, b"thanks", True)
    assert 0 <= outcome.duration_ms < 5_000


async def test_the_request_is_what_was_asked_for_and_nothing_else():
    async with receiver(answering(answer("200 OK"))) as here, a_client() as client:
        await post(client, here.url + "?sig=a%2Fb%20c&x=%41", body=b"{}")

    head, body = here.requests[0].split(b"\r\n\r\n")
    request_line, *headers = head.decode().lower().split("\r\n")
    assert request_line == "post /hooks?sig=a%2fb%20c&x=%41 http/1.1"
    assert sorted(headers) == [
        "accept: */*",
        "content-length: 2",
        "content-type: application/json",
        f"host: 127.0.0.1:{here.port}",
        "user-agent: zeroten/test",
    ]
    assert body == b"{}"


async def test_a_connection_serves_many_attempts():
    async with receiver(answering(answer("200 OK", body=b"ok"))) as here, a_client() as client:
        for _ in range(20):
            await post(client, here.url)

    assert (here.connections, len(here.requests)) == (1, 20)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_a_failure_and_not_followed(status):
    async with receiver(answering(answer(status, "location: /elsewhere"))) as here, a_client() as client:
        outcome = await post(client, here.url)

    assert outcome.failure is Failure.REDIRECT
    assert "update your URL" in outcome.failure.hint
    assert len(here.requests) == 1


@pytest.mark.parametrize(
    ("status", "failure"),
    [("410 Gone", Failure.GONE), ("500 Oops", Failure.BAD_STATUS), ("429 Slow down", Failure.BAD_STATUS)],
)
async def test_every_other_status_is_a_failure(status, failure):
    outcome = await outcome_of(answering(answer(status, body=b"why")))

    assert (outcome.status, outcome.failure, outcome.head) == (int(status[:3]), failure, b"why")


async def test_retry_after_is_read_as_seconds_and_as_a_date():
    date = format_datetime(NOW + timedelta(hours=2), usegmt=True)
    script = answering(
        answer("429 Slow down", "retry-after: 120"), answer("503 Later", f"retry-after: {date}"), answer("503 Later")
    )

    async with receiver(script) as here, a_client() as client:
        waits = [(await post(client, here.url)).retry_after_seconds for _ in range(3)]

    assert waits == [120.0, 7200.0, None]


async def test_a_receiver_that_hangs_costs_the_deadline_and_no_more():
    outcome = await outcome_of(doing(hang), deadline_seconds=0.3)

    assert (outcome.failure, outcome.status, outcome.sent) == (Failure.TIMEOUT, None, True)
    assert 300 <= outcome.duration_ms < 1_000


async def test_a_status_line_that_drips_is_cut_off_at_the_deadline():
    async def drip(_, writer):
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 1_000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    outcome = await outcome_of(doing(drip), deadline_seconds=0.3)

    assert outcome.failure is Failure.TIMEOUT
    assert outcome.duration_ms < 1_000


async def test_a_body_that_drips_neither_undoes_the_delivery_nor_holds_it_up():
    async def drip(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(1_000):
            writer.write(b"a")
            await asyncio.sleep(0.02)

    outcome = await outcome_of(doing(drip), deadline_seconds=0.3)

    assert (outcome.status, outcome.failure) == (200, None)
    assert 0 < len(outcome.head) < 100
    assert outcome.duration_ms < 1_000


async def test_a_body_that_breaks_off_does_not_undo_the_delivery():
    async def break_off(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nsome")
        await writer.drain()
        writer.close()

    outcome = await outcome_of(doing(break_off))

    assert (outcome.failure, outcome.head) == (None, b"some")


@pytest.mark.parametrize("framing", [f"content-length: {GIGABYTE}", "connection: close"])
async def test_a_gigabyte_is_not_downloaded(framing):
    sent = 0

    async def flood(_, writer):
        nonlocal sent
        writer.write(f"HTTP/1.1 500 Oops\r\n{framing}\r\n\r\n".encode())
        for _ in range(GIGABYTE >> 16):
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    outcome = await outcome_of(doing(flood))

    assert outcome.head == b"x" * HEAD_BYTES
    assert sent < 16 * 2**20  # what socket buffers of both sides swallow


async def test_a_compressed_body_is_not_unpacked():
    bomb = b"\x1f\x8b" + b"\0" * 100
    outcome = await outcome_of(answering(answer("200 OK", "content-encoding: gzip", body=bomb)))

    assert outcome.head == bomb


@pytest.mark.parametrize(
    "endless",
    [b"x-more: and more\r\n", b"x" * 1_000],
    ids=["lines without end", "a line without end"],
)
async def test_headers_without_end_are_cut_off(endless):
    sent = 0

    async def flood(_, writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1_000_000):
            writer.write(endless)
            await writer.drain()
            sent += len(endless)

    outcome = await outcome_of(doing(flood))

    assert (outcome.failure, outcome.status, outcome.sent) == (Failure.NOT_HTTP, None, True)
    assert sent < 16 * 2**20


async def test_interim_answers_without_end_are_cut_off_at_the_deadline():
    async def flood(_, writer):
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    outcome = await outcome_of(doing(flood), deadline_seconds=0.3)

    assert outcome.failure is Failure.TIMEOUT
    assert outcome.duration_ms < 1_000


@pytest.mark.parametrize("noise", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"\0" * 50])
async def test_what_is_not_http_is_called_so(noise):
    async def mumble(reader, writer):
        writer.write(noise)
        await reader.read()

    assert (await outcome_of(doing(mumble))).failure is Failure.NOT_HTTP


async def test_a_reset_is_one_failed_attempt_and_one_request():
    async with receiver(doing(reset)) as here, a_client() as client:
        outcome = await post(client, here.url)

    assert (outcome.failure, outcome.sent, len(here.requests)) == (Failure.RESET, True, 1)


async def test_hanging_up_without_an_answer_is_a_reset():
    async def hang_up(_, writer):
        writer.close()

    assert (await outcome_of(doing(hang_up))).failure is Failure.RESET


def dies_on_the_second_request(here: Receiver) -> Script:
    async def answer_once_then_die(reader, writer):
        await read_request(here, reader)
        writer.write(answer("200 OK"))
        await read_request(here, reader)
        await reset(reader, writer)

    return answer_once_then_die


async def test_a_kept_connection_that_dies_under_us_is_not_a_failed_attempt():
    async with receiver(dies_on_the_second_request) as here, a_client() as client:
        outcomes = [await post(client, here.url) for _ in range(2)]

    assert [outcome.status for outcome in outcomes] == [200, 200]
    assert (here.connections, len(here.requests)) == (2, 3)


async def test_what_the_receiver_would_not_know_again_is_not_sent_twice():
    async with receiver(dies_on_the_second_request) as here, a_client() as client:
        asked = [Request("POST", here.url, {}, b"{}", has_id=False) for _ in range(2)]
        answers = [await client.ask(one, now=NOW, deadline_seconds=2.0) for one in asked]

    assert [answer.outcome.failure for answer in answers] == [None, Failure.RESET]
    assert (here.connections, len(here.requests)) == (1, 2)


async def test_nobody_listening_is_refused_and_nothing_was_sent():
    async with receiver(doing(hang)) as here:
        pass
    async with a_client() as client:
        outcome = await post(client, here.url)

    assert (outcome.failure, outcome.sent) == (Failure.REFUSED, False)


async def test_what_could_not_be_connected_is_tried_once_more_at_once():
    failures = [socket.gaierror("lost"), None]

    def lookup(*_args, **_options):
        if failure := failures.pop(0):
            raise failure
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", here.port))]

    async with receiver(answering(answer("200 OK"))) as here, a_client(lookup=lookup) as client:
        outcome = await post(client, here.url.replace("127.0.0.1", "receiver.example"))

    assert (outcome.status, len(here.requests)) == (200, 1)


async def test_it_is_tried_at_once_no_more_than_once():
    lookups = []

    def lookup(*_args, **_options):
        lookups.append(1)
        raise socket.gaierror("lost")

    async with a_client(lookup=lookup) as client:
        outcome = await post(client, "http://receiver.example/")

    assert (outcome.failure, outcome.sent, len(lookups)) == (Failure.DNS_FAILED, False, 2)


async def test_a_receiver_that_does_not_accept_leaves_time_in_the_deadline():
    """A listener whose queue is full drops what comes next, as a firewall does."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        async with a_client() as client:
            outcome = await post(client, f"http://127.0.0.1:{full.getsockname()[1]}/", deadline_seconds=0.6)

    assert (outcome.failure, outcome.sent) == (Failure.CONNECT_TIMEOUT, False)
    assert 350 <= outcome.duration_ms < 600


@pytest.mark.parametrize("url", ["http://127.0.0.1:0/", "ftp://127.0.0.1/", "http://127.1/", "http://a b/\r\nx: y", ""])
async def test_a_url_that_should_never_have_been_saved_is_a_failure_not_a_crash(url):
    async with a_client() as client:
        outcome = await post(client, url)

    assert (outcome.failure, outcome.sent) == (Failure.BAD_URL, False)


async def test_cookies_are_not_kept():
    async with receiver(answering(answer("200 OK", "set-cookie: a=b; path=/"))) as here, a_client() as client:
        for _ in range(2):
            await post(client, here.url.replace("127.0.0.1", "localhost"))  # no jar keeps cookies of bare addresses

    assert b"cookie" not in here.requests[1].lower()


async def test_proxies_of_the_environment_are_ignored(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")

    assert (await outcome_of(answering(answer("200 OK")))).status == 200


async def test_running_out_of_files_is_ours_and_raises():
    async with receiver(answering(answer("200 OK"))) as here, a_client() as client:
        next_file = os.dup(0)
        os.close(next_file)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (next_file, hard))
        try:
            with pytest.raises(ClientConnectorError) as raised:
                await post(client, here.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert raised.value.errno == errno.EMFILE


async def test_a_cancelled_attempt_leaves_no_connection_behind():
    async with receiver(doing(hang)) as here, a_client() as client:
        attempt = asyncio.create_task(post(client, here.url))
        await asyncio.wait_for(here.asked.wait(), timeout=5)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert not client.session.connector._acquired


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("86401", 86_400.0),
        ("9" * 5_000, 86_400.0),
        ("Sun, 22 Nov 2026 10:16:00 GMT", 60.0),
        ("Sunday, 22-Nov-26 10:16:00 GMT", 60.0),
        ("Sun Nov 22 10:16:00 2026", 60.0),
        ("Sun, 22 Nov 2026 11:16:00 +0100", 60.0),
        ("Sun, 22 Nov 2026 10:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        ("Sun, 99 Nov 2026 10:16:00 GMT", None),
        ("Sun, 22 Nov 99999999999 10:16:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert read_retry_after(value, now=datetime(2026, 11, 22, 10, 15, tzinfo=UTC)) == seconds
