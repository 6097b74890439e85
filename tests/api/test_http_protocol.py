"""What breaks HTTP itself, on a socket: refused in the words of every other refusal, and nothing is written."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from app.api.http_protocol import HEAD_LIMIT_BYTES
from app.db.engine import Engine
from tests.builders import a_campaign, an_answer
from tests.conftest import Tenant
from tests.served import served
from tests.workers.scene import until

PATIENCE_SECONDS = 10
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[tuple[str, int]]:
    async with served(app) as url:
        parts = urlsplit(url)
        yield str(parts.hostname), int(parts.port or 0)


async def said(address: tuple[str, int], *pieces: bytes) -> bytes:
    """All that comes back until the other side hangs up."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def replies(answer: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    found = []
    while answer:
        head, _, rest = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers["content-length"])
        found.append((int(first.split()[1]), headers, rest[:length]))
        answer = rest[length:]
    return found


def refusal(answer: bytes) -> tuple[int, str]:
    """Checked to be a problem document that ends the connection."""
    ((status, headers, body),) = replies(answer)
    problem = json.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert problem["request_id"] == headers["x-request-id"]
    assert (problem["status"], problem["type"]) == (status, f"/problems/{problem['code'].replace('_', '-')}")
    return status, problem["code"]


@pytest.mark.parametrize(
    "broken",
    [
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET /livez HTTP/9.9\r\n\r\n",
        GET + b"no colon\r\n\r\n",
        GET + b"X-Odd: a\x00b\r\n\r\n",
        GET + b" X-Odd: a\r\n\r\n",
        GET + b"Content-Length: ten\r\n\r\n",
        GET + b"Content-Length: -1\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        GET + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem_document(address: tuple[str, int], broken: bytes) -> None:
    assert refusal(await said(address, broken)) == (400, "unreadable")


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"5\r\n{}   oops", b"-1\r\n", b"fffffffffffffffff\r\n"])
async def test_a_chunk_that_is_none_stores_nothing(
    address: tuple[str, int], alice: Tenant, engine: Engine, chunk: bytes
) -> None:
    answer = json.dumps(an_answer(await a_campaign(engine, alice.workspace_id))).encode()
    head = (
        b"POST /v1/responses HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        b"Authorization: Bearer " + alice.secret_key.encode() + b"\r\n\r\n"
    )
    whole = b"%x\r\n%b\r\n" % (len(answer), answer)
    assert refusal(await said(address, head + whole, chunk)) == (400, "unreadable")
    assert (await alice.api.get("/v1/responses")).json()["data"] == []


async def test_a_head_has_a_cap(address: tuple[str, int]) -> None:
    fitting = b"X-Long: " + b"a" * (HEAD_LIMIT_BYTES - 200) + b"\r\nConnection: close\r\n\r\n"
    ((status, _, _),) = replies(await said(address, GET + fitting))
    assert status == 200
    for large in (b"X-Long: " + b"a" * HEAD_LIMIT_BYTES + b"\r\n\r\n", b"X: 1234567890\r\n" * 7_000 + b"\r\n"):
        assert refusal(await said(address, GET + large)) == (431, "head_too_large")


async def test_an_address_has_a_cap(address: tuple[str, int]) -> None:
    line = b"GET /livez?" + b"a" * HEAD_LIMIT_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    assert refusal(await said(address, line)) == (431, "head_too_large")


async def test_a_head_that_does_not_end_is_not_kept(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(GET + b"X-Endless: ")
    async with asyncio.timeout(PATIENCE_SECONDS):
        answering = asyncio.create_task(reader.read())
        while not answering.done():
            writer.write(b"a" * 10_000)
            await asyncio.sleep(0)
        assert refusal(answering.result()) == (431, "head_too_large")
    writer.close()


async def test_an_offer_to_speak_another_protocol_is_passed_over(
    address: tuple[str, int], alice: Tenant, engine: Engine
) -> None:
    answer = json.dumps(an_answer(await a_campaign(engine, alice.workspace_id))).encode()
    request = (
        b"POST /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
    ) % (alice.secret_key.encode(), len(answer), answer)
    ((status, _, _),) = replies(await said(address, request))
    assert status == 201


async def test_whoever_came_before_is_answered(address: tuple[str, int], alice: Tenant, engine: Engine) -> None:
    """A caller that sends a second request at once must not take its refusal for the answer to the first."""
    answer = json.dumps(an_answer(await a_campaign(engine, alice.workspace_id))).encode()
    first = (
        b"POST /v1/responses HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
    ) % (alice.secret_key.encode(), len(answer), answer)
    ((status, headers, _),) = replies(await said(address, first + b"NONSENSE\r\n\r\n"))
    assert (status, headers["connection"]) == (201, "close")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/v1/responses", "application/json"),
        ("/v1/campaigns", "application/json"),
        ("/s/anybody", "application/x-www-form-urlencoded"),
        ("/dashboard/log-in", "application/x-www-form-urlencoded"),
    ],
)
async def test_whoever_hangs_up_in_the_middle_is_not_our_mistake(
    address: tuple[str, int], alice: Tenant, path: str, media_type: str
) -> None:
    _, writer = await asyncio.open_connection(*address)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nContent-Type: {media_type}\r\nContent-Length: 100\r\n"
    )
    with capture_logs() as logs:
        writer.write(f"{head}Authorization: Bearer {alice.secret_key}\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()

        async def is_told() -> bool:
            await asyncio.sleep(0)
            return bool(logs)

        await until(is_told)
    assert [(log["event"], log["status"]) for log in logs] == [("request answered", 0)]


async def test_on_a_connection_that_was_used_before_it_is_refused_too(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(GET + b"\r\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"NONSENSE\r\n\r\n")
        answer = await reader.read()
    assert refusal(answer[answer.index(b"HTTP/1.1 ") :]) == (400, "unreadable")
    writer.close()


@pytest.mark.parametrize("cut", [None, 63])  # within the word Upgrade
async def test_what_we_cannot_pass_over_is_refused_and_its_body_is_never_a_request(
    address: tuple[str, int], alice: Tenant, cut: int | None
) -> None:
    smuggled = b"GET /problems/unreadable HTTP/1.1\r\nHost: smuggled\r\n\r\n"
    offer = (
        b"POST /v1/responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n"
    )
    request = offer % len(smuggled) + smuggled
    before = b"" if cut else b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection(*address)
    for part in (before + request[:cut], request[cut:] if cut else b""):
        writer.write(part)
        await writer.drain()
        for _ in range(10):  # the server, in this loop, accepts and reads: what is written next is another piece
            await asyncio.sleep(0)
    statuses = [status for status, _, _ in replies(await asyncio.wait_for(reader.read(), 10))]
    writer.close()
    assert statuses == ([400] if cut else [200])


async def test_trailers_without_end_are_not_kept(address: tuple[str, int]) -> None:
    _, writer = await asyncio.open_connection(*address)
    writer.write(b"POST /v1/responses HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n")
    with pytest.raises(ConnectionError):
        await _write_on(writer, b"X-a: " + b"a" * 60_000 + b"\r\n")
    writer.close()


async def _write_on(writer: asyncio.StreamWriter, line: bytes) -> None:
    for _ in range(200):
        writer.write(line)
        await writer.drain()
        await asyncio.sleep(0)
