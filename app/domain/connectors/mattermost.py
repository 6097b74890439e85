"""Mattermost, over an incoming webhook. It usually stands in the company's own network, which the operator allows."""

import re
from dataclasses import dataclass
from typing import Any

from app.domain.connectors import wording
from app.domain.connectors.protocol import Call, Connector, Failed, Made, Remembered, Reply, Steps, expect_success
from app.domain.connectors.settings import a_link, a_text, a_url_under, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

COMMENT, FACT = 4_000, 300  # characters; a post has 16,383 in all
MESSAGE = "message"
MARKUP = re.compile(r"([\\*_~`|>#\[\]()<!+:$^-])")
MENTION = re.compile(r"@(?=\w)")  # whatever stands before it: _@here calls, too


def a_hook_url(value: Any) -> str:
    """Servers may live under a path, so that it need not come first."""
    url: str = a_url_under("/")(value)
    if "/hooks/" not in url:
        raise ValueError("The URL of an incoming webhook has /hooks/ in it; copy it whole.")
    return url


@dataclass(frozen=True)
class Mattermost(Connector):
    kind = "mattermost"
    address = "url"
    per_second = 5

    url: str = setting(a_hook_url, is_secret=True)
    channel: str | None = setting(a_text, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(MESSAGE, story.revision):
            return
        _expect_ok((yield Call("POST", self.url, self._to_channel(message_of(story, link=self.link)))))
        yield Made(MESSAGE, "", story.revision)

    def test(self) -> Steps:
        message = self._to_channel({"text": f"**{wording.TEST_TITLE}**\n{wording.TEST_TEXT}"})
        _expect_ok((yield Call("POST", self.url, message)))

    def _to_channel(self, message: dict[str, Any]) -> dict[str, Any]:
        return {**message, "channel": self.channel} if self.channel else message


def message_of(story: Story, *, link: str | None) -> dict[str, Any]:
    attachment: dict[str, Any] = {
        "fallback": escaped(wording.summary(story), FACT),
        "color": f"#{wording.COLOURS[story.band]:06X}",
        "title": wording.headline(story),
        "fields": [
            {"short": True, "title": label, "value": escaped(text, FACT)} for label, text in wording.facts(story)
        ],
    }
    if story.comment:
        attachment["text"] = escaped(story.comment, COMMENT)
    if url := wording.link(story, link):
        attachment["title_link"] = url
    return {"attachments": [attachment]}


def escaped(text: str, limit: int) -> str:
    """Markdown shows as it was typed, and @here calls nobody."""
    return MENTION.sub("@\N{ZERO WIDTH SPACE}", MARKUP.sub(r"\\\1", wording.cut(text, limit)))


def _expect_ok(reply: Reply) -> None:
    """Errors are JSON with an `id`. A 400 is also what a webhook gets that was deleted."""
    if reply.status in {401, 403, 404} or "incoming_webhook" in (reply.word("id") or ""):
        raise Failed(Failure.NOT_THERE)
    expect_success(reply)
    if reply.text != "ok":
        raise Failed(Failure.ERROR_IN_BODY)
