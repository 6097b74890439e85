"""Discord, over a webhook, with `wait=true`: without it, a message that was not saved is no error.

Limits: https://docs.discord.com/developers/resources/message#embed-object-embed-limits
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from app.domain.connectors import wording
from app.domain.connectors.protocol import Call, Connector, Failed, Made, Remembered, Reply, Steps, expect_success
from app.domain.connectors.settings import a_link, a_text, a_url_under, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

TITLE, DESCRIPTION, NAME, VALUE = 256, 3_500, 256, 300  # characters; of an embed's 6,000 in all
MOST_FIELDS = 8
MESSAGE = "message"
MARKUP = re.compile(r"([\\*_~`|>#\[\]()<:@-])")

# Ten thousand of these in ten minutes and Discord shuts out the whole address, so the first is the last.
HOPELESS = {401: Failure.NOT_THERE, 403: Failure.NOT_THERE, 404: Failure.NOT_THERE}


@dataclass(frozen=True)
class Discord(Connector):
    kind = "discord"
    address = "url"

    url: str = setting(a_url_under("/api/webhooks/", "/api/v10/webhooks/"), is_secret=True)
    link: str | None = setting(a_link, default=None)
    thread_id: str | None = setting(a_text, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(MESSAGE, story.revision):
            return
        known = remembered.id_of(MESSAGE)
        message = message_of(wording.with_its_past(story) if known else story, link=self.link)
        if known:
            reply = yield Call("PATCH", self._place(f"/messages/{quote(known, safe='')}"), message)
            if reply.member("code") != 10008:  # somebody has deleted the message; then it is said anew
                _expect_success(reply)
                yield Made(MESSAGE, known, story.revision)
                return
        reply = yield Call("POST", self._place("", wait="true"), message)
        _expect_success(reply)
        yield Made(MESSAGE, reply.needed("id"), story.revision)

    def check(self) -> Steps:
        _expect_success((yield Call("GET", self._place(""))))

    def test(self) -> Steps:
        embed = {"title": wording.TEST_TITLE, "description": wording.TEST_TEXT}
        _expect_success((yield Call("POST", self._place("", wait="true"), _quiet(embed))))

    def _place(self, path: str, **query: str) -> str:
        parts = urlsplit(self.url)
        if self.thread_id:
            query["thread_id"] = self.thread_id
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return f"{self.origin}{parts.path.rstrip('/')}{path}" + (f"?{asked}" if asked else "")


def message_of(story: Story, *, link: str | None) -> dict[str, Any]:
    embed: dict[str, Any] = {
        "title": wording.cut_utf16(f"{wording.SIGNS[story.band]} {wording.headline(story)}", TITLE),
        "color": wording.COLOURS[story.band],
        "timestamp": story.answered_at.isoformat(),
        "fields": [
            {"name": label, "value": escaped(text, VALUE), "inline": True} for label, text in wording.facts(story)
        ][:MOST_FIELDS],
    }
    if story.comment:
        embed["description"] = escaped(story.comment, DESCRIPTION)
    if url := wording.link(story, link):
        embed["url"] = url
    return _quiet(embed)


def _quiet(embed: dict[str, Any]) -> dict[str, Any]:
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}  # nobody who is named is called


def escaped(text: str, limit: int) -> str:
    """Cut first: a backslash must not lose what it escapes."""
    room = limit
    while len((shown := MARKUP.sub(r"\\\1", wording.cut_utf16(text, room))).encode("utf-16-le")) // 2 > limit:
        room -= max(1, (len(shown) - limit) // 2)
    return shown


def _expect_success(reply: Reply) -> None:
    """Of a 429, the body has fractions of a second; the header may have been rounded."""
    if reply.status == 429:
        raise Failed(Failure.BAD_STATUS, wait_seconds=reply.member("retry_after"))
    expect_success(reply, HOPELESS)
