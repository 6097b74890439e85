"""Airtable: one record for each answer, upserted by the response's id, so that repeating and changing it are one.

https://airtable.com/developers/web/api/update-multiple-records
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
    Call,
    Connector,
    Failed,
    Made,
    Remembered,
    Reply,
    Steps,
    expect_success,
)
from app.domain.connectors.settings import a_base_url, a_link, a_text, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.payload import instant_text

PENALTY_SECONDS = 30.0  # in which it answers nothing but 429
TEXT = 20_000  # characters; a long text has 100,000
MERGED_ON = "Response ID"
RECORD = "record"


@dataclass(frozen=True)
class Airtable(Connector):
    kind = "airtable"
    usual_events = EVERY_ANSWER

    token: str = setting(a_token, is_secret=True)
    base_id: str = setting(a_token)
    table: str = setting(a_text)
    base_url: str = setting(a_base_url, default="https://api.airtable.com/v0")
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(RECORD, story.revision):
            return
        body = {
            "performUpsert": {"fieldsToMergeOn": [MERGED_ON]},
            "records": [{"fields": self._fields(story)}],
            "typecast": True,  # a band that is no choice yet becomes one
        }
        reply = yield self._call("PATCH", "", body)
        _expect_success(reply)
        yield Made(RECORD, reply.needed("records", 0, "id"), story.revision)

    def check(self) -> Steps:
        _expect_success((yield self._call("GET", "?maxRecords=1")))

    def _fields(self, story: Story) -> dict[str, Any]:
        """An emptied comment empties the field."""
        fields = {
            MERGED_ON: story.response_id,
            "Score": story.score,
            "Band": story.band.value,
            "Comment": wording.cut(story.comment or "", TEXT),
            "Name": story.person.name if story.person else None,
            "Email": story.email,
            "Account": story.background.account,
            "Campaign": story.campaign,
            "Answered at": instant_text(story.answered_at),
            "Link": wording.link(story, self.link),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _call(self, method: str, query: str, body: Any = None) -> Call:
        place = f"{self.base_url}/{quote(self.base_id, safe='')}/{quote(self.table, safe='')}{query}"
        return Call(method, place, body, {"authorization": f"Bearer {self.token}"})


def _expect_success(reply: Reply) -> None:
    if reply.status == 429:
        raise Failed(Failure.BAD_STATUS, wait_seconds=PENALTY_SECONDS)
    expect_success(reply, {404: Failure.NOT_THERE})
