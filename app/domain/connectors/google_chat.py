"""Google Chat, over the webhook of a space. Messages about one answer go into one thread.

Names and parameters are those of the discovery document chat.v1. `requestId` makes a repeated call harmless there.
"""

from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit

from app.domain.connectors import wording
from app.domain.connectors.protocol import Call, Connector, Failed, Made, Remembered, Reply, Steps, expect_success
from app.domain.connectors.settings import a_link, a_url_under, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

MOST_BYTES = 30_000  # of a request; Chat refuses more than about 32 kB
COMMENT, FACT = 4_000, 300  # characters
MESSAGE = "message"


@dataclass(frozen=True)
class GoogleChat(Connector):
    kind = "google_chat"
    address = "url"
    per_second = 1

    url: str = setting(a_url_under("/v1/spaces/"), is_secret=True)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(MESSAGE, story.revision):
            return
        reply = yield Call("POST", self._place(request=story.event_id), message_of(story, link=self.link))
        _expect_message(reply)
        yield Made(MESSAGE, reply.needed("name"), story.revision)

    def test(self) -> Steps:
        _expect_message((yield Call("POST", self.url, {"text": f"{wording.TEST_TITLE}. {wording.TEST_TEXT}"})))

    def _place(self, *, request: str) -> str:
        joint = "&" if urlsplit(self.url).query else "?"
        return f"{self.url}{joint}messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD&requestId={request}"


def message_of(story: Story, *, link: str | None) -> dict[str, Any]:
    comment = wording.cut(story.comment or "", COMMENT)
    while len(Call("POST", "", made := _message(story, comment, link)).body) > MOST_BYTES:
        comment = wording.cut(comment, len(comment) // 2)
    return made


def _message(story: Story, comment: str, link: str | None) -> dict[str, Any]:
    widgets: list[dict[str, Any]] = [
        {"decoratedText": {"topLabel": label, "text": escape(wording.cut(text, FACT)), "wrapText": True}}
        for label, text in wording.facts(story)
    ]
    if comment:
        widgets.append({"textParagraph": {"text": escape(f"“{comment}”")}})
    if url := wording.link(story, link):
        widgets.append({"buttonList": {"buttons": [{"text": "Follow up", "onClick": {"openLink": {"url": url}}}]}})
    title = f"{wording.SIGNS[story.band]} {wording.headline(story)}"
    card = {
        "header": {"title": title, "subtitle": wording.cut(story.campaign, FACT)},
        "sections": [{"widgets": widgets}],
    }
    return {
        "cardsV2": [{"cardId": story.response_id, "card": card}],
        "fallbackText": wording.cut(wording.summary(story).replace("<", "‹"), FACT),  # <users/all> calls everybody
        "thread": {"threadKey": story.response_id},
    }


def _expect_message(reply: Reply) -> None:
    """Errors are JSON with a `status` in words, which tells more than the number."""
    said = reply.word("error", "status")
    if reply.status in {401, 403, 404} or said in {"PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"}:
        raise Failed(Failure.NOT_THERE)
    expect_success(reply)
