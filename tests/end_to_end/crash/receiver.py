"""Somebody's server: `python -m tests.end_to_end.crash.receiver PORT LOG CHARACTER NAME=SECRET …`.

Takes webhooks at /NAME, checks each with the independent `standardwebhooks`, and writes a line for each to LOG. It has
moods: now and then it hangs, resets the connection or answers 500, but only the first time that it sees an event, since
the timetable would have the third attempt wait for minutes. It hangs only for `hanging_seconds` from the first answer
on: what timed out is tried again after a minute.
"""

import asyncio
import hashlib
import json
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, TextIO

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from app.lifeline import end_with_parent

SLOW_SECONDS = 0.3
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing means RST


def _usual_moods() -> dict[str, float]:
    return {"well": 0.93, "fails": 0.025, "resets": 0.025, "slow": 0.01, "hangs": 0.01}


@dataclass(frozen=True)
class Character:
    seed: int = 0
    hanging_seconds: float = 0.0
    moods: dict[str, float] = field(default_factory=_usual_moods)  # and how likely each is


class Receiver:
    def __init__(self, log: TextIO, character: Character, *, secrets: Mapping[str, str]) -> None:
        self.log, self.moods, self.chance = log, character.moods, Random(character.seed)
        self.hanging_seconds, self.hangs_until = character.hanging_seconds, 0.0
        self.verifiers = {name: Webhook(secret) for name, secret in secrets.items()}
        self.met: set[tuple[str, str]] = set()

    async def take(self, request: web.Request) -> web.Response:
        at, name, body = monotonic(), request.match_info["name"], await request.read()
        webhook_id = request.headers.get("webhook-id", "")
        try:
            event = self.verifiers[name].verify(body, dict(request.headers))
        except WebhookVerificationError as refused:
            self.note(at=at, name=name, id=webhook_id, forged=str(refused))
            return web.Response(status=400)
        if not self.hangs_until and event["type"] == "response.created":
            self.hangs_until = at + self.hanging_seconds
        mood = self.mood((name, webhook_id))
        self.note(at=at, name=name, id=webhook_id, digest=hashlib.sha256(body).hexdigest(), mood=mood, **about(event))
        return await self.answer(mood, request)

    def mood(self, delivery: tuple[str, str]) -> str:
        if delivery in self.met:
            return "well"
        self.met.add(delivery)
        mood = self.chance.choices(list(self.moods), list(self.moods.values()))[0]
        return "well" if mood == "hangs" and monotonic() > self.hangs_until else mood

    async def answer(self, mood: str, request: web.Request) -> web.Response:
        match mood:
            case "fails":
                return web.Response(status=500, text="not today")
            case "resets":
                assert request.transport is not None
                request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                request.transport.abort()
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
            case "hangs":
                await asyncio.Event().wait()  # until the other side hangs up
        return web.Response(status=204)

    def note(self, **what: Any) -> None:
        self.log.write(f"{json.dumps(what)}\n")


def about(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What makes it this event and no other."""
    thing = next((value for value in event["data"].values() if isinstance(value, dict)), {})
    if "response" in event["data"]:
        thing = event["data"]["response"]
    told = {"type": event["type"], "of": thing.get("id"), "revision": thing.get("revision"), "inside": event["id"]}
    return {**told, "redacted": "redacted" in event["data"]}


async def receive(port: int, log: Path, character: Character, *, secrets: Mapping[str, str]) -> None:
    with log.open("a", buffering=1) as lines:
        receiver = Receiver(lines, character, secrets=secrets)
        app = web.Application()
        app.router.add_post("/{name}", receiver.take)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("receiver up", flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    end_with_parent()
    port, log, character, *secrets = sys.argv[1:]
    named = dict(secret.split("=", 1) for secret in secrets)
    asyncio.run(receive(int(port), Path(log), Character(**json.loads(character)), secrets=named))
