"""Slack, over an incoming webhook: the URL is the secret, and what was said cannot be changed, only said anew.

Limits are those of Slack's own models (slack_sdk 3.47). Refusals are plain text: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.connectors import wording
from app.domain.connectors.protocol import Call, Connector, Failed, Made, Remembered, Reply, Steps, expect_success
from app.domain.connectors.settings import a_link, a_url_under, setting
from app.domain.connectors.story import Story
from app.domain.follow_up import FollowUpState
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.slack_request import ASSIGN, RESOLVE

HEADER, SECTION, FIELD, TEXT = 150, 3_000, 2_000, 3_000  # characters
MOST_FIELDS = 10
MESSAGE = "message"

# Nothing that we could send would help; somebody has to look at the webhook.
HOPELESS = frozenset({
    "invalid_token", "no_service", "no_service_id", "no_team", "team_disabled", "channel_not_found",
    "channel_is_archived", "action_prohibited", "user_not_found", "account_inactive",
})  # fmt: skip


@dataclass(frozen=True)
class Slack(Connector):
    kind = "slack"
    address = "url"
    per_second = 1

    url: str = setting(a_url_under("/services/", "/triggers/"), is_secret=True)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(MESSAGE, story.revision):
            return
        _expect_ok((yield Call("POST", self.url, message_of(story, link=self.link))))
        yield Made(MESSAGE, "", story.revision)

    def test(self) -> Steps:
        _expect_ok((yield Call("POST", self.url, greeting())))


def greeting() -> dict[str, Any]:
    blocks = [_header(wording.TEST_TITLE), _plain(wording.TEST_TEXT)]
    return {"text": wording.TEST_TITLE, "blocks": blocks}


def message_of(story: Story, *, link: str | None, has_buttons: bool = False) -> dict[str, Any]:
    """`text` is what notifications and screen readers say. An incoming webhook has nobody to tell of its buttons."""
    blocks = list(_blocks(story, link, has_buttons=has_buttons))
    return {"text": wording.cut(escaped(wording.summary(story)), TEXT), "blocks": blocks}


def _blocks(story: Story, link: str | None, *, has_buttons: bool) -> Sequence[Mapping[str, Any]]:
    blocks = [_header(f"{wording.SIGNS[story.band]} {wording.headline(story)}")]
    facts = [_marked(f"*{label}*\n{escaped(text)}", FIELD) for label, text in wording.facts(story)]
    blocks.append({"type": "section", "fields": facts[:MOST_FIELDS]})
    if story.comment:
        blocks.append(_plain(f"“{story.comment}”"))
    if followed := wording.followed(story):
        blocks.append({"type": "context", "elements": [_marked(escaped(followed), FIELD)]})
    if buttons := [*_links(story, link), *(_buttons(story) if has_buttons else ())]:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _links(story: Story, link: str | None) -> Iterator[dict[str, Any]]:
    if url := wording.link(story, link):
        yield {"type": "button", "text": {"type": "plain_text", "text": "Follow up"}, "url": url}


def _buttons(story: Story) -> Iterator[dict[str, Any]]:
    """None once it is resolved."""
    follow_up = story.background.follow_up
    if follow_up is not None and follow_up.state is FollowUpState.RESOLVED:
        return
    for action, text in ((ASSIGN, "Assign to me"), (RESOLVE, "Resolved")):
        said = {"type": "plain_text", "text": text}
        yield {"type": "button", "text": said, "action_id": action, "value": story.response_id}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": wording.cut(text, HEADER), "emoji": True}}


def _plain(text: str) -> dict[str, Any]:
    """Plain text, so that asterisks in a comment stay asterisks."""
    cut = wording.cut(escaped(text), SECTION)
    return {"type": "section", "text": {"type": "plain_text", "text": cut, "emoji": False}}


def _marked(text: str, limit: int) -> dict[str, Any]:
    """`verbatim`, so that @here in somebody's name calls nobody."""
    return {"type": "mrkdwn", "text": wording.cut(text, limit), "verbatim": True}


def escaped(text: str) -> str:
    """Also defuses <!channel> and <@U…>: nothing can begin with `<` any more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _expect_ok(reply: Reply) -> None:
    """Answers `ok`, or names the trouble in plain text under a status that says little."""
    if reply.text in HOPELESS or reply.status == 404:
        raise Failed(Failure.NOT_THERE)
    if reply.status == 403:
        raise Failed(Failure.NOT_THERE)
    expect_success(reply)
    if reply.text not in {"ok", ""}:
        raise Failed(Failure.ERROR_IN_BODY)
