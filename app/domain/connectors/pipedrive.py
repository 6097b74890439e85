"""Pipedrive: a note on the person, who is looked up by e-mail address and created where there is none.

There is neither an upsert nor an idempotency key: a note, or a new person, whose reply was lost is made twice. Notes
are still of the API's first version. https://developers.pipedrive.com/docs/api/v1
"""

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
    expect_success,
)
from app.domain.connectors.settings import a_base_url, a_link, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

LINE = 20_000  # characters
SHUT_OUT_SECONDS = 600.0
PERSON, FIELDS = "person", "fields"


@dataclass(frozen=True)
class Pipedrive(Connector):
    kind = "pipedrive"
    usual_events = EVERY_ANSWER

    base_url: str = setting(a_base_url)
    api_token: str = setting(a_token, is_secret=True)
    fields: str | None = setting(a_mapping, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address nobody is found in Pipedrive.")
        person_id = remembered.id_of(PERSON)
        if person_id is None:
            person_id = yield from self._find_or_create(story, story.email)
            yield Made(PERSON, person_id, story.revision)
        fields = dict(mapped_values(story, self.fields))
        if fields and not remembered.tells(FIELDS, story.revision):
            _expect_success((yield self._call("PATCH", f"/api/v2/persons/{person_id}", {"custom_fields": fields})))
            yield Made(FIELDS, person_id, story.revision)
        content = wording.html(story, template=self.link, most=LINE)
        note = self._call("POST", "/v1/notes", {"content": content, "person_id": int(person_id)})
        yield from noted(story, remembered, note, expect=_expect_success, id_at=("data", "id"))

    def check(self) -> Steps:
        _expect_success((yield self._call("GET", "/v1/users/me")))

    def _find_or_create(self, story: Story, email: str) -> Generator[Call, Reply, str]:
        query = f"term={quote(email, safe='')}&fields=email&exact_match=true"
        reply = yield self._call("GET", f"/api/v2/persons/search?{query}")
        _expect_success(reply)
        if reply.listed("data", "items"):
            return str(reply.needed_number("data", "items", 0, "item", "id"))
        person = {"name": story.who, "emails": [{"value": email, "primary": True, "label": "work"}]}
        reply = yield self._call("POST", "/api/v2/persons", person)
        _expect_success(reply)
        return str(reply.needed_number("data", "id"))

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        return Call(method, f"{self.base_url}{path}", body, {"x-api-token": self.api_token})


def _expect_success(reply: Reply) -> None:
    """Who goes on after many 429s is shut out by a 403 that is not JSON, which says nothing about the token."""
    if reply.status == 403 and reply.member("success") is None:
        raise Failed(Failure.BAD_STATUS, wait_seconds=SHUT_OUT_SECONDS)
    expect_success(reply)
    if reply.member("success") is False:
        raise Failed(Failure.ERROR_IN_BODY)
