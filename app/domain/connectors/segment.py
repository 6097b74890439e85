"""Segment, and RudderStack, which takes the same: an event in the customer's own stream.

The event's id is the `messageId`, by which repeated ones are recognised. Segment answers 200 whatever the write key, so
that a wrong one shows only in its debugger. https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from app.domain.connectors import wording
from app.domain.connectors.protocol import EVERY_ANSWER, Call, Connector, Made, Remembered, Steps, expect_success
from app.domain.connectors.settings import a_base_url, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.payload import instant_text

MOST_BYTES = 30_000  # of an event; Segment drops what has more than 32 kB
EVENT = "event"


@dataclass(frozen=True)
class Segment(Connector):
    kind = "segment"
    per_second = 50
    usual_events = EVERY_ANSWER

    write_key: str = setting(a_token, is_secret=True)
    base_url: str = setting(a_base_url, default="https://api.segment.io/v1")

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        name = f"{EVENT} {story.event_id}"
        if remembered.id_of(name) is not None:
            return
        expect_success((yield self._call(event_of(story))))
        yield Made(name, "", story.revision)

    def test(self) -> Steps:
        expect_success((yield self._call({"anonymousId": "zeroten-test", "event": "Zeroten Test", "properties": {}})))

    def _call(self, event: dict[str, Any]) -> Call:
        login = b64encode(f"{self.write_key}:".encode()).decode()
        return Call("POST", f"{self.base_url}/track", event, {"authorization": f"Basic {login}"})


def event_of(story: Story) -> dict[str, Any]:
    comment = story.comment or ""
    while len(Call("POST", "", made := _event(story, comment)).body) > MOST_BYTES:
        comment = wording.cut(comment, len(comment) // 2)
    return made


def _event(story: Story, comment: str) -> dict[str, Any]:
    said = {
        "score": story.score,
        "band": story.band.value,
        "previous_score": story.previous_score,
        "metric": story.metric,
        "comment": comment,
        "campaign": story.campaign,
        "campaign_id": story.campaign_id,
        "response_id": story.response_id,
        "revision": story.revision,
        "occasion": story.occasion,
        "account": story.background.account,
    }
    return {
        **_who(story),
        "event": "NPS Response Changed" if story.previous_score is not None else "NPS Response Submitted",
        "messageId": story.event_id,
        "timestamp": instant_text(story.answered_at),
        "properties": {name: value for name, value in said.items() if value not in {None, ""}},
        "context": {"library": {"name": "zeroten"}},
    }


def _who(story: Story) -> dict[str, str]:
    """Known by the id they have in the customer's own systems, which is ours for want of another."""
    if story.person is None:
        return {"anonymousId": story.response_id}
    return {"userId": story.person.external_id or story.person.id}
