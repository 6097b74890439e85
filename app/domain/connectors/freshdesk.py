"""Freshdesk: a ticket for an answer, tagged so that it is found again; what changes later becomes a private note.

It has no idempotency key. Its search lags some minutes behind, so an attempt that follows sooner upon one whose reply
was lost may open a second ticket. https://developers.freshdesk.com/api/
"""

from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.field_mapping import a_mapping, mapped_values
from app.domain.connectors.protocol import (
    NO_TICKET,
    Call,
    Connector,
    Made,
    Remembered,
    Reply,
    Skipped,
    Steps,
    expect_success,
)
from app.domain.connectors.settings import a_base_url, a_link, a_token, one_of, setting
from app.domain.connectors.story import Story

LINE, SUBJECT = 20_000, 200  # characters
PRIORITIES = {"low": 1, "medium": 2, "high": 3, "urgent": 4}
OPEN, OVER_FEEDBACK = 2, 9  # its numbers for a status and a source
TICKET = "ticket"


@dataclass(frozen=True)
class Freshdesk(Connector):
    kind = "freshdesk"
    usual_events = ("response.detractor",)

    base_url: str = setting(a_base_url)
    api_key: str = setting(a_token, is_secret=True)
    priority: str = setting(one_of(*PRIORITIES), default="medium")
    fields: str | None = setting(a_mapping, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(TICKET, story.revision):
            return
        if not story.email:
            raise Skipped("Nothing was sent: Freshdesk opens no ticket for somebody without an e-mail address.")
        if known := remembered.id_of(TICKET):
            note = {"body": wording.html(story, template=self.link, most=LINE), "private": True}
            reply = yield self._call("POST", f"/tickets/{quote(known, safe='')}/notes", note)
            if reply.status != 404:  # deleted there, so made anew here
                expect_success(reply)
                if fields := self._fields(story):
                    expect_success((yield self._call("PUT", f"/tickets/{quote(known, safe='')}", fields)))
                yield Made(TICKET, known, story.revision)
                return
        elif story.is_over:
            raise Skipped(NO_TICKET)
        yield Made(TICKET, (yield from self._find_or_open(story)), story.revision)

    def check(self) -> Steps:
        expect_success((yield self._call("GET", "/agents/me")))

    def _find_or_open(self, story: Story) -> Generator[Call, Reply, str]:
        reply = yield self._call("GET", f"/search/tickets?query=%22tag:%27{tag_of(story)}%27%22")
        expect_success(reply)
        if reply.listed("results"):
            return reply.needed("results", 0, "id")
        reply = yield self._call("POST", "/tickets", self._ticket(story))
        expect_success(reply)
        return reply.needed("id")

    def _ticket(self, story: Story) -> dict[str, Any]:
        return {
            "subject": wording.cut(wording.summary(story), SUBJECT),
            "description": wording.html(story, template=self.link, most=LINE),
            "email": story.email,
            "name": story.who,
            "status": OPEN,
            "priority": PRIORITIES[self.priority],
            "source": OVER_FEEDBACK,
            "tags": ["zeroten", tag_of(story)],
            **self._fields(story),
        }

    def _fields(self, story: Story) -> dict[str, Any]:
        said = dict(mapped_values(story, self.fields, of_person=False))
        return {"custom_fields": said} if said else {}

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        login = b64encode(f"{self.api_key}:X".encode()).decode()
        return Call(method, f"{self.base_url}/api/v2{path}", body, {"authorization": f"Basic {login}"})


def tag_of(story: Story) -> str:
    """A tag has at most 32 characters, which is what an id has behind its prefix."""
    return story.response_id.rpartition("_")[2]
