"""Zendesk: a ticket for an answer, found again by its external id; what changes later becomes an internal note.

Creation carries an Idempotency-Key, which Zendesk remembers for some hours, and is looked for before, which covers the
rest. https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
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
    Failed,
    Made,
    Remembered,
    Reply,
    Skipped,
    Steps,
    expect_json,
    expect_success,
)
from app.domain.connectors.settings import a_base_url, a_link, a_text, a_token, one_of, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

COMMENT, SUBJECT = 60_000, 150  # characters; Zendesk takes 65,536 of the first
TICKET = "ticket"


@dataclass(frozen=True)
class Zendesk(Connector):
    kind = "zendesk"
    usual_events = ("response.detractor",)

    base_url: str = setting(a_base_url)
    email: str = setting(a_text)
    api_token: str = setting(a_token, is_secret=True)
    priority: str | None = setting(one_of("low", "normal", "high", "urgent"), default=None)
    fields: str | None = setting(a_mapping, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(TICKET, story.revision):
            return
        if known := remembered.id_of(TICKET):
            path = f"/tickets/{quote(known, safe='')}.json"
            reply = yield self._call("PUT", path, {"ticket": {"comment": self._note(story), **self._fields(story)}})
            if reply.status != 404:  # deleted there, so made anew here
                _expect_success(reply)
                yield Made(TICKET, known, story.revision)
                return
        elif story.is_over:
            raise Skipped(NO_TICKET)
        yield Made(TICKET, (yield from self._find_or_open(story)), story.revision)

    def check(self) -> Steps:
        reply = yield self._call("GET", "/users/me.json")
        _expect_success(reply)
        expect_json(reply)
        if reply.member("user", "id") is None:  # it calls strangers "Anonymous user" under a 200
            raise Failed(Failure.UNAUTHORIZED)

    def _find_or_open(self, story: Story) -> Generator[Call, Reply, str]:
        reply = yield self._call("GET", f"/tickets.json?external_id={story.response_id}")
        _expect_success(reply)
        if reply.listed("tickets"):
            return reply.needed("tickets", 0, "id")
        key = {"idempotency-key": story.event_id}
        reply = yield self._call("POST", "/tickets.json", {"ticket": self._ticket(story)}, **key)
        if reply.status == 400 and "idempotency" in reply.text.lower():
            raise Failed(Failure.BAD_STATUS)  # it was opened with other words; the next attempt will find it
        _expect_success(reply)
        return reply.needed("ticket", "id")

    def _ticket(self, story: Story) -> dict[str, Any]:
        ticket: dict[str, Any] = {
            "subject": wording.cut(wording.summary(story), SUBJECT),
            "comment": self._note(story),
            "external_id": story.response_id,
            "tags": ["zeroten", f"nps_{story.band.value}"],
            **self._fields(story),
        }
        if story.email:  # somebody new is only taken with a name
            ticket["requester"] = {"email": story.email, "name": story.who}
        if self.priority:
            ticket["priority"] = self.priority
        return ticket

    def _fields(self, story: Story) -> dict[str, Any]:
        """Fields of a ticket have numbers."""
        values = mapped_values(story, self.fields, of_person=False)
        said = [{"id": int(number), "value": value} for number, value in values if number.isdecimal()]
        return {"custom_fields": said} if said else {}

    def _note(self, story: Story) -> dict[str, Any]:
        """Internal, or else the person would get their own words by e-mail."""
        said = "\n".join(wording.lines(story, template=self.link))
        return {"body": wording.cut(said, COMMENT), "public": False}

    def _call(self, method: str, path: str, body: Any = None, **headers: str) -> Call:
        login = b64encode(f"{self.email}/token:{self.api_token}".encode()).decode()
        return Call(method, f"{self.base_url}/api/v2{path}", body, {"authorization": f"Basic {login}", **headers})


def _expect_success(reply: Reply) -> None:
    """409 is another change of the same ticket at the same moment."""
    expect_success(reply, {409: Failure.BAD_STATUS})
