"""`zeroten listen` as developers run it: beside a service somewhere else, stopped with Ctrl-C."""

import asyncio
import json
import re
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook

from app.db.engine import Engine
from tests.api.test_events import record
from tests.builders import a_campaign
from tests.cli.command import environment, zeroten
from tests.conftest import SECRET_KEYS, Tenant
from tests.outbound.receivers import Receiver, answer, answering, receiver
from tests.served import served
from tests.workers.scene import Arrival, Scene, arrived, until

PATIENCE_SECONDS = 20
RESPONSE = re.compile(r"resp_\w{32}")


class Listening:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.noted = ""

    async def line(self) -> str:
        assert self.process.stdout is not None
        return await self._read(self.process.stdout)

    async def note(self, containing: str) -> str:
        assert self.process.stderr is not None
        while True:
            line = await self._read(self.process.stderr)
            assert line, self.noted
            self.noted += line
            if containing in line:
                return line

    async def _read(self, stream: asyncio.StreamReader) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await stream.readline()).decode()

    async def stop(self) -> int:
        """With Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, rest = await self.process.communicate()
        self.noted += rest.decode()
        return self.process.returncode or 0


@asynccontextmanager
async def listening(url: str, key: str, *options: str) -> AsyncIterator[Listening]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "app.cli", "listen", "--url", url, *options,
        env=environment(ZEROTEN_KEY=key), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    here = Listening(process)
    try:
        await here.note("Listening to")
        yield here
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_an_event_is_one_line(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    async with served(app) as url, listening(url, alice.secret_key) as here:
        await record(alice, campaign, score=3, comment="Two\nweeks\x1b[2Jlate.", recipient={"email": "kim@example.com"})
        assert "  recipient.created  " in await here.line()
        line = await here.line()
    assert re.match(r"\d\d:\d\d:\d\d  response\.created", line)
    assert "  detractor 3  “Two weeks·[2Jlate.”  kim@example.com  After purchase  evt_" in line


async def test_only_wanted_types_are_shown(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with (
        served(app) as url,
        listening(url, alice.secret_key, "--types", "response.detractor", "--json") as here,
    ):
        await record(alice, campaign, score=10)
        wanted = await record(alice, campaign, score=0)
        told = json.loads(await here.line())
    assert told["event"]["data"]["response"]["id"] == wanted
    assert told["reply"] is None


async def test_ctrl_c_ends_it_at_once_and_frees_its_seat(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with served(app) as url, listening(url, alice.secret_key) as here:
        await until(lambda: has_seats(app, 1))
        assert await here.stop() == 130
        assert "Traceback" not in here.noted
        await until(lambda: has_seats(app, 0))
        missed = await record(alice, campaign)
        cursor = here.noted.split("--cursor ")[1].strip()
        async with listening(url, alice.secret_key, "--cursor", cursor, "--json") as again:
            assert RESPONSE.findall(await again.line())[0] == missed


async def test_it_goes_on_behind_an_event_that_is_named(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    (handled,) = (await alice.api.get("/v1/events")).json()["data"]
    missed = [await record(alice, campaign) for _ in range(2)]
    async with served(app) as url, listening(url, alice.secret_key, "--after", handled["id"], "--json") as here:
        missed.append(await record(alice, campaign))
        assert [RESPONSE.findall(await here.line())[0] for _ in missed] == missed


async def has_seats(app: FastAPI, count: int) -> bool:
    await asyncio.sleep(0)
    return len(app.state.services.event_watch._waiting) == count


async def test_an_outage_loses_and_repeats_nothing(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with AsyncExitStack() as service:
        url = await service.enter_async_context(served(app))
        async with listening(url, alice.secret_key, "--json") as here:
            recorded = [await record(alice, campaign) for _ in range(3)]
            seen = [await here.line() for _ in range(3)]
            await service.aclose()
            await here.note("trying again")
            recorded += [await record(alice, campaign) for _ in range(3)]
            async with served(app, port=urlsplit(url).port or 0):
                await here.note("Listening to")
                recorded.append(await record(alice, campaign))
                seen += [await here.line() for _ in range(4)]
    assert [json.loads(line)["event"]["data"]["response"]["id"] for line in seen] == recorded


async def test_what_is_forwarded_is_what_would_be_delivered(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id, name="„Zürich“ \\ 1/2")
    async with receiver(answering(answer("204 No Content"))) as delivered, receiver(answering(OK)) as forwarded:
        await scene.endpoint(delivered, event_types=["response.created"])
        async with served(scene.app) as url, forwarding(url, scene.tenant.secret_key, forwarded) as here:
            scene.work()
            await scene.answer(campaign, comment="Très bien 🎉", properties={"total": 12.5})
            (one,), (other,) = await arrived(delivered), await arrived(forwarded)
            assert other.body == one.body
            assert other.headers.keys() == one.headers.keys()
            assert {name for name in one.headers if one.headers[name] != other.headers[name]} <= {
                "host", "webhook-timestamp", "webhook-signature"
            }  # fmt: skip
            verify(other, here)
            assert "200 in" in (await here.line()) + (await here.line())


async def test_a_receiver_that_fails_does_not_hold_up_the_next_event(
    alice: Tenant, app: FastAPI, engine: Engine
) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    failing = answering(answer("500 Oh No", body=b"ValueError:\n\x1b[31mno such order"), OK)
    async with receiver(failing) as there, served(app) as url, forwarding(url, alice.secret_key, there, "--json") as it:
        await record(alice, campaign)
        await record(alice, campaign)
        replies = [json.loads(await it.line())["reply"] for _ in range(2)]
        assert [(reply["status"], reply["failure"]) for reply in replies] == [(500, "bad_status"), (200, None)]
        assert replies[0]["body"] == "ValueError:\n\x1b[31mno such order"
        assert len({arrival.id for arrival in await arrived(there, 2)}) == 2


async def test_a_receiver_that_is_not_there_is_named(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with receiver(answering(OK)) as gone:
        pass
    async with served(app) as url, forwarding(url, alice.secret_key, gone) as here:
        await record(alice, campaign)
        assert "response.created" in await here.line()
        assert "Nothing listens at that host and port." in await here.line()


async def test_a_secret_of_ones_own_signs(alice: Tenant, app: FastAPI, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    secret = "whsec_" + b64encode(bytes(range(32))).decode()
    async with (
        receiver(answering(OK)) as there,
        served(app) as url,
        forwarding(url, alice.secret_key, there, "--secret", secret) as here,
    ):
        assert secret in here.noted
        await record(alice, campaign)
        verify((await arrived(there))[0], here)


OK = answer("200 OK", body=b"thanks")


def forwarding(url: str, key: str, there: Receiver, *options: str) -> AbstractAsyncContextManager[Listening]:
    return listening(url, key, "--forward-to", there.url, *options)


def verify(arrival: Arrival, here: Listening) -> None:
    """By the library, with the secret that was printed."""
    (secret,) = re.findall(r"whsec_\S+", here.noted)
    assert Webhook(secret).verify(arrival.body, arrival.headers) == arrival.json


def refusal(url: str, key: str, *options: str) -> str:
    said = zeroten("listen", "--url", url, *options, ZEROTEN_KEY=key)
    assert said.returncode == 1, said
    assert said.stderr.count("\n") == 1, said.stderr
    return said.stderr


async def test_a_key_that_will_not_do_is_refused(alice: Tenant, app: FastAPI) -> None:
    async with served(app) as url:
        for key, reason in {
            "": "Set ZEROTEN_KEY",
            alice.publishable_key: "Set ZEROTEN_KEY",
            "zt_sk_live_" + "x" * 32: "401, We do not know who is asking: This API key is unknown",
        }.items():
            assert reason in await asyncio.to_thread(refusal, url, key)
        unknown_type = await asyncio.to_thread(refusal, url, alice.secret_key, "--types", "response.exploded")
        assert "should be the name of an event" in unknown_type


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("ftp://127.0.0.1", (), "starts with https://"),
        ("127.0.0.1:8010", (), "starts with https://"),
        ("http://127.0.0.1", ("--forward-to", "localhost:3000"), "A URL starts with https://"),
        ("http://127.0.0.1", ("--secret", "hunter2"), "A secret starts with whsec_"),
    ],
)
def test_words_that_make_no_sense_are_refused(url: str, options: tuple[str, ...], reason: str) -> None:
    assert reason in refusal(url, "zt_sk_test_x", *options)


async def test_what_is_no_zeroten_is_noticed() -> None:
    async with receiver(answering(answer("200 OK", body=b"<h1>Hello</h1>"))) as there:
        reason = await asyncio.to_thread(refusal, f"http://127.0.0.1:{there.port}", "zt_sk_test_x")
    assert "not the API of Zeroten" in reason


async def test_an_api_that_is_told_to_stop_keeps_no_listener_waiting(
    alice: Tenant, database_url: str, engine: Engine
) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with AsyncExitStack() as service:
        url = await service.enter_async_context(an_api(database_url))
        async with listening(url, alice.secret_key, "--json") as here:
            await record(alice, campaign)
            assert "response.created" in await here.line()
            async with asyncio.timeout(5):  # far less than a listener is ready to wait
                await service.aclose()
            await here.note("trying again")


@asynccontextmanager
async def an_api(database_url: str) -> AsyncIterator[str]:
    """`zeroten api`, stopped as an operator stops it."""
    settings = {"ZEROTEN_DATABASE_URL": database_url, "ZEROTEN_SECRET_KEYS": SECRET_KEYS, "ZEROTEN_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "app.cli", "api",
        env=environment(ZEROTEN_LOG_FORMAT="json", **settings), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    api = Listening(process)
    try:
        started = await api.note('"api started"')
        yield json.loads(started)["address"]
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
