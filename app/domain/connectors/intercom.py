"""Intercom: an event in the contact's life, and a note about the answer.

Contacts are looked up by our external id or by e-mail, and created where there are none. Events that agree in name,
person and second are one event to Intercom, so a repeated one is harmless; a note whose reply was lost is written
twice. https://developers.intercom.com/docs/references/rest-api/api.intercom.io
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.field_mapping import a_mapping, mapped_values
from app.domain.connectors.notes import noted
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
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
from app.domain.connectors.settings import a_base_url, a_link, a_token, setting
from app.domain.connectors.story import Person, Story
from app.domain.webhooks.attempts import Failure

VERSION = "2.15"
LINE, METADATA = 10_000, 255  # characters
WINDOW_SECONDS = 10.0  # of its rate limit
ALREADY = re.compile(r"\bid=([0-9a-f]{8,64})")
CONTACT, EVENT, FIELDS = "contact", "event", "fields"


@dataclass(frozen=True)
class Intercom(Connector):
    kind = "intercom"
    per_second = 8
    usual_events = EVERY_ANSWER

    token: str = setting(a_token, is_secret=True)
    base_url: str = setting(a_base_url, default="https://api.intercom.io")
    fields: str | None = setting(a_mapping, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        person = story.person
        if person is None or not (person.external_id or person.email):
            raise Skipped("Nothing was sent: Intercom knows people by external id or e-mail address.")
        contact_id = remembered.id_of(CONTACT)
        if contact_id is None:
            contact_id = yield from self._find_or_create(person)
            yield Made(CONTACT, contact_id, story.revision)
        if not remembered.tells(EVENT, story.revision):
            _expect_success((yield self._call("POST", "/events", _event(story, contact_id))))
            yield Made(EVENT, "", story.revision)
        place, fields = f"/contacts/{quote(contact_id, safe='')}", dict(mapped_values(story, self.fields))
        if fields and not remembered.tells(FIELDS, story.revision):
            _expect_success((yield self._call("PUT", place, {"custom_attributes": fields})))
            yield Made(FIELDS, contact_id, story.revision)
        note = self._call("POST", f"{place}/notes", {"body": wording.html(story, template=self.link, most=LINE)})
        yield from noted(story, remembered, note, expect=_expect_success, id_at=("id",))

    def check(self) -> Steps:
        reply = yield self._call("GET", "/me")
        _expect_success(reply)
        expect_json(reply)
        if not reply.member("app"):
            raise Failed(Failure.UNAUTHORIZED)

    def _find_or_create(self, person: Person) -> Generator[Call, Reply, str]:
        known = {"external_id": person.external_id, "email": person.email}
        asked = [{"field": name, "operator": "=", "value": value} for name, value in known.items() if value]
        reply = yield self._call("POST", "/contacts/search", {"query": {"operator": "OR", "value": asked}})
        _expect_success(reply)
        if reply.listed("data"):
            return reply.needed("data", 0, "id")
        fields = {"role": "user", "name": person.name, **known}
        reply = yield self._call("POST", "/contacts", {name: value for name, value in fields.items() if value})
        if reply.status == 409 and (already := ALREADY.search(reply.text)):  # made since, or archived
            return already[1]
        _expect_success(reply)
        return reply.needed("id")

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        headers = {"authorization": f"Bearer {self.token}", "intercom-version": VERSION, "accept": "application/json"}
        return Call(method, f"{self.base_url}{path}", body, headers)


def _event(story: Story, contact_id: str) -> dict[str, Any]:
    """A change has another name: it tells of the same second."""
    said = {
        "score": story.score,
        "band": story.band.value,
        "previous_score": story.previous_score,
        "campaign": wording.cut(story.campaign, METADATA),
        "comment": wording.cut(story.comment or "", METADATA),
        "response_id": story.response_id,
        "revision": story.revision,
    }  # at most ten
    return {
        "event_name": "nps-changed" if story.previous_score is not None else "nps-answered",
        "created_at": int(story.answered_at.timestamp()) + story.revision - 1,  # a second for each change
        "id": contact_id,
        "metadata": {name: value for name, value in said.items() if value not in {None, ""}},
    }


def _expect_success(reply: Reply) -> None:
    if reply.status == 429:
        raise Failed(Failure.BAD_STATUS, wait_seconds=WINDOW_SECONDS)
    expect_success(reply)
