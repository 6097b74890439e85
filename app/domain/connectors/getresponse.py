"""GetResponse: custom fields of a list's contact say how they scored last.

Custom fields have ids of their own and are found by name. Values are put beside those that a contact has: changing the
contact itself would take its others away. Nobody is subscribed unless somebody chose so, and that is done later there,
by a queue. https://apireference.getresponse.com/
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

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
from app.domain.connectors.settings import a_base_url, a_flag, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

MOST_FIELDS = 1_000
SHUT_OUT_SECONDS = 600.0  # the span its limit counts
QUEUED_SECONDS = 60.0
SECONDS = re.compile(r"\d{1,6}")
STRANGER = "Nothing was sent: nobody with this e-mail address is in the list."
OVERTAKEN = "Nothing was sent: they have answered again since, and the fields say how."
CONTACT = "contact"

Values = list[dict[str, Any]]


@dataclass(frozen=True)
class GetResponse(Connector):
    kind = "getresponse"
    usual_events = EVERY_ANSWER

    api_key: str = setting(a_token, is_secret=True)
    list_id: str = setting(a_token)
    adds_people: bool = setting(a_flag, default=False)
    domain: str | None = setting(a_token, default=None)
    base_url: str = setting(a_base_url, default="https://api.getresponse.com/v3")

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address GetResponse knows nobody.")
        if remembered.tells(CONTACT, story.revision):
            return
        if story.background.is_overtaken:
            raise Skipped(OVERTAKEN)
        values = yield from self._values(story)
        contact_id = yield from self._find(story.email)
        if contact_id is not None:
            place = f"contacts/{quote(contact_id, safe='')}/custom-fields"
            _expect_success((yield self._call("POST", place, {"customFieldValues": values})))
        elif self.adds_people:
            yield from self._add(story, values)
        else:
            raise Skipped(STRANGER)
        yield Made(CONTACT, contact_id or story.response_id, story.revision)

    def check(self) -> Steps:
        """Whether the list is there."""
        _expect_success(
            (yield self._call("GET", f"campaigns/{quote(self.list_id, safe='')}")), {404: Failure.NOT_THERE}
        )

    def _values(self, story: Story) -> Generator[Call, Reply, Values]:
        """Of those fields that are there; without the first, there is nothing to say."""
        reply = yield self._call("GET", f"custom-fields?fields=name&perPage={MOST_FIELDS}")
        _expect_success(reply)
        ids = {reply.word(at, "name"): at for at in range(len(reply.listed()))}
        if "nps_score" not in ids:
            raise Failed(Failure.NOT_THERE, "There is no custom field nps_score.")
        said = {"nps_score": str(story.score), "nps_band": story.band.value}
        return [
            {"customFieldId": reply.needed(ids[name], "customFieldId"), "value": [text]}
            for name, text in said.items()
            if name in ids
        ]

    def _find(self, email: str) -> Generator[Call, Reply, str | None]:
        """Whoever else may be found that only resembles them is passed over."""
        wanted = f"query[email]={quote(email, safe='')}&query[campaignId]={quote(self.list_id, safe='')}"
        reply = yield self._call("GET", f"contacts?{wanted}&additionalFlags=exactMatch&fields=email")
        _expect_success(reply)
        for at in range(len(reply.listed())):
            if (reply.word(at, "email") or "").lower() == email.lower():
                return reply.needed(at, "contactId")
        return None

    def _add(self, story: Story, values: Values) -> Generator[Call, Reply, None]:
        contact = {"email": story.email, "campaign": {"campaignId": self.list_id}, "customFieldValues": values}
        if story.person and story.person.name:
            contact["name"] = story.person.name
        reply = yield self._call("POST", "contacts", contact)
        if reply.status == 409:  # they are on their way into the list, by us or by somebody else
            raise Failed(Failure.BAD_STATUS, wait_seconds=QUEUED_SECONDS)
        _expect_success(reply)

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        headers = {"x-auth-token": f"api-key {self.api_key}"} | ({"x-domain": self.domain} if self.domain else {})
        return Call(method, f"{self.base_url}/{path}", body, headers)


def _expect_success(reply: Reply, odd: dict[int, Failure] | None = None) -> None:
    """How long to wait stands in the body, at times with its unit."""
    if reply.status == 429:
        said = SECONDS.match(str(reply.member("context", "timeToReset") or ""))
        raise Failed(Failure.BAD_STATUS, wait_seconds=int(said[0]) if said else SHUT_OUT_SECONDS)
    expect_success(reply, odd)
