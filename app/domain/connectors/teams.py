"""Microsoft Teams, over a Workflow that starts when a webhook request is received. The URL's query is the secret.

The flow takes the request and answers 202 before anything is posted; what fails later shows only in Power Automate.
Cards are of version 1.4, which is what all clients show: https://adaptivecards.io/explorer/
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.domain.connectors import wording
from app.domain.connectors.protocol import Call, Connector, Failed, Made, Remembered, Reply, Steps, expect_success
from app.domain.connectors.settings import a_link, a_url, setting
from app.domain.connectors.story import Story
from app.domain.scores.metric import Band
from app.domain.webhooks.attempts import Failure

MOST_BYTES = 21_000  # of a request; Teams gives up at about 28 kB, with its own wrapping
COMMENT, FACT = 4_000, 300  # characters
MESSAGE = "message"
COLOURS = {Band.PROMOTER: "good", Band.PASSIVE: "warning", Band.DETRACTOR: "attention"}
TROUBLE = ("error", "failed", "could not", "bad payload")  # how the old connectors said so under a 200


def a_workflow_url(value: Any) -> str:
    url = a_url(value)
    host = urlsplit(url).hostname or ""
    if host.endswith("webhook.office.com") or host == "outlook.office.com":
        raise ValueError("Office 365 connectors have been retired; make a Workflow in Teams and take its URL.")
    if "sig=" not in urlsplit(url).query:
        raise ValueError("Copy the URL of the Workflow whole: it ends in a query with `sig=`.")
    return url


@dataclass(frozen=True)
class Teams(Connector):
    kind = "teams"
    address = "url"

    url: str = setting(a_workflow_url, is_secret=True)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(MESSAGE, story.revision):
            return
        _expect_taken((yield Call("POST", self.url, message_of(story, link=self.link))))
        yield Made(MESSAGE, "", story.revision)

    def test(self) -> Steps:
        card = _card([_line(wording.TEST_TITLE, weight="Bolder"), _line(wording.TEST_TEXT)])
        _expect_taken((yield Call("POST", self.url, card)))


def message_of(story: Story, *, link: str | None) -> dict[str, Any]:
    comment = story.comment or ""
    while len(Call("POST", "", made := _story_card(story, comment, link)).body) > MOST_BYTES:
        comment = wording.cut(comment, len(comment) // 2)  # characters of four bytes, or many to be escaped
    return made


def _story_card(story: Story, comment: str, link: str | None) -> dict[str, Any]:
    body = [_line(wording.headline(story), size="Large", weight="Bolder", color=COLOURS[story.band])]
    body += [_fact(label, text) for label, text in wording.facts(story)]
    if comment:
        body.append(_line(f"“{wording.cut(comment, COMMENT)}”", spacing="Medium"))
    url = wording.link(story, link)
    return _card(body, [{"type": "Action.OpenUrl", "title": "Follow up", "url": url}] if url else [])


def _card(body: list[dict[str, Any]], actions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if actions:
        content["actions"] = actions
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def _line(text: str, *, spacing: str = "Default", **run: Any) -> dict[str, Any]:
    """Runs of text, not blocks: blocks read Markdown, so that a comment could show a link it is not."""
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [_run(text, **run)]}


def _fact(label: str, text: str) -> dict[str, Any]:
    inlines = [_run(f"{label}: ", weight="Bolder"), _run(wording.cut(text, FACT))]
    return {"type": "RichTextBlock", "spacing": "Small", "inlines": inlines}


def _run(text: str, **look: Any) -> dict[str, Any]:
    """`{{DATE(…)}}` is a function in a card; a space nobody sees keeps somebody's words from being one."""
    return {"type": "TextRun", "text": text.replace("{{", "{\N{ZERO WIDTH SPACE}{"), **look}


def _expect_taken(reply: Reply) -> None:
    if reply.status in {401, 403, 404}:  # the flow was deleted or turned off, or its key was changed
        raise Failed(Failure.NOT_THERE)
    expect_success(reply)
    if reply.status == 200 and any(word in reply.text.lower() for word in TROUBLE):
        is_throttled = "429" in reply.text or "throttl" in reply.text.lower()
        raise Failed(Failure.ERROR_IN_BODY, wait_seconds=60 if is_throttled else None)
