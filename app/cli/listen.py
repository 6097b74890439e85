"""Events as they happen, pulled from wherever the service runs; for a program on this machine, the webhooks it would
get if it could be called.
"""

import asyncio
import json
import secrets
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from app.cli.event_lines import event_line, reply_line
from app.cli.remote import Remote, Unreachable, reached
from app.clock import utc_now
from app.domain.webhooks.attempts import Outcome, head_text
from app.domain.webhooks.payload import rendered
from app.domain.webhooks.receiver_url import split_receiver_url
from app.domain.webhooks.webhook_secret import SigningKey, new_shared_secret, read_secret
from app.outbound.webhook import post_webhook

PAGE = 100
WAIT_SECONDS = 25  # of one request; then it is asked again
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
DEADLINE_SECONDS = 15.0  # for the program that is forwarded to, as for every receiver

Event = dict[str, Any]
Place = tuple[str, str]  # in the feed, as a query parameter

FROM_NOW_ON: Place = ("cursor", "end")


def run(arguments: Namespace) -> int:
    asyncio.run(_listen(arguments))
    return 0


async def _listen(arguments: Namespace) -> None:
    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    secret = arguments.secret or new_shared_secret(secrets.token_bytes(32))
    key = read_secret(secret)
    async with reached(arguments) as api:
        forwarder = Forwarder(api, arguments.forward_to, key) if arguments.forward_to else None
        if forwarder is not None:
            split_receiver_url(forwarder.url)
            notes.print(f"Signing with {secret}", markup=False)
        place = ("after", arguments.after) if arguments.after else ("cursor", arguments.cursor)
        feed = Feed(api, place=place, types=_listed(arguments.types), notes=notes)
        show = _show_json if arguments.json else _show
        try:
            async for event in feed.events():
                show(event, await forwarder.forward(event) if forwarder else None)
        finally:
            if feed.place != FROM_NOW_ON:
                notes.print(f"To go on from here: --{' '.join(feed.place)}", markup=False)


def _listed(types: str) -> list[str]:
    return [part.strip() for part in types.split(",") if part.strip()]


class Feed:
    """Follows `GET /v1/events`, whatever happens to the connection."""

    def __init__(self, api: Remote, *, place: Place, types: list[str], notes: Console) -> None:
        self.place = place
        self._api, self._types, self._notes = api, types, notes
        self._is_connected, self._pause_seconds = False, 0.0

    async def events(self) -> AsyncIterator[Event]:
        """Without end. The place moves on when all events of a page have been dealt with. Raises Refusal."""
        while True:
            page = await self._next_page()
            for event in page["data"]:
                yield event
            self.place = ("cursor", page["next_cursor"])

    async def _next_page(self) -> Mapping[str, Any]:
        while True:
            try:
                page: Mapping[str, Any] = await self._ask()
            except Unreachable as trouble:
                await self._rest(trouble)
                continue
            if not self._is_connected:
                self._notes.print(f"Listening to {self._api.url}", markup=False)
            self._is_connected, self._pause_seconds = True, 0.0
            return page

    async def _ask(self) -> Any:
        # Until the first is answered, nobody knows that we listen, and there may be no place to go on from.
        wait_seconds = WAIT_SECONDS if self._is_connected else 0
        types = [("type", one) for one in self._types]
        asked = [self.place, ("limit", str(PAGE)), ("wait_seconds", str(wait_seconds)), *types]
        return await self._api.ask("GET", "/v1/events", params=asked, wait_seconds=wait_seconds)

    async def _rest(self, trouble: Unreachable) -> None:
        longer = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        self._pause_seconds = max(longer, FIRST_PAUSE_SECONDS)
        self._is_connected = False
        seconds = max(self._pause_seconds, min(trouble.retry_after_seconds, LONGEST_PAUSE_SECONDS))
        self._notes.print(f"{trouble}; trying again in {seconds:g} s", markup=False)
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Forwarder:
    api: Remote
    url: str
    key: SigningKey

    async def forward(self, event: Event) -> Outcome:
        """Once: whoever develops a receiver would rather see the next event than the same mistake again."""
        return await post_webhook(
            self.api.client,
            self.url,
            webhook_id=event["id"],
            body=as_delivered(event),
            secrets=[self.key],
            now=utc_now(),
            deadline_seconds=DEADLINE_SECONDS,
        )


def as_delivered(event: Event) -> bytes:
    return rendered({**event, "data": json.dumps(event["data"], ensure_ascii=False, separators=(",", ":"))})


def _show(event: Event, outcome: Outcome | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(event_line(event))
    if outcome is not None:
        console.print(reply_line(outcome))


def _show_json(event: Event, outcome: Outcome | None) -> None:
    """One object a line; non-ASCII is escaped, so that nothing in it can steer a terminal."""
    sys.stdout.write(json.dumps({"event": event, "reply": _reply(outcome) if outcome else None}) + "\n")
    sys.stdout.flush()


def _reply(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "failure": outcome.failure,
        "duration_ms": outcome.duration_ms,
        "body": head_text(outcome.head),
    }
