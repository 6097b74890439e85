"""One line for each event, for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from app.domain.webhooks.attempts import Outcome, head_text

LONGEST_COMMENT, LONGEST_REPLY = 60, 80  # characters
COLOURS = {"promoter": "green", "passive": "yellow", "detractor": "red"}


def event_line(event: Mapping[str, Any]) -> Text:
    """`10:15:00  response.created  detractor 3  “Two weeks late.”  kim@example.com  evt_…`; the time is UTC."""
    line = Text(f"{event['timestamp'][11:19]}  ", style="dim")
    line.append(f"{event['type']:<22}", style="bold not dim")
    data = event["data"]
    for words, style in _told(data):
        line.append(f"  {printable(words)}", style=f"not dim {style}")
    line.append(f"  {event['id']}")
    return line


def reply_line(outcome: Outcome) -> Text:
    """`          200 in 12 ms  OK`"""
    said = " ".join(printable(head_text(outcome.head)).split())
    if outcome.failure is None:
        verdict = Text(f"{outcome.status}", style="green")
    else:
        status = f"{outcome.status}: " if outcome.status else ""
        verdict = Text(f"{status}{outcome.failure.hint}", style="red")
    return Text.assemble(" " * 10, verdict, f" in {outcome.duration_ms} ms  ", (_cut(said, LONGEST_REPLY), "dim"))


def printable(text: str) -> str:
    """What people wrote goes to a terminal: nothing in it may move the cursor, or read from right to left."""
    return "".join(character if character.isprintable() else "·" for character in text)


def _told(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Words and their colour, whatever the event is about. A later version may send what we do not know."""
    if data.get("redacted"):
        yield "redacted", ""
    for thing, tell in {"response": _response, "recipient": _recipient, "campaign": _named}.items():
        if data.get(thing):
            yield from tell(data[thing], data)
    for thing in ("import", "delivery", "endpoint"):
        if data.get(thing):
            yield str(data[thing].get("id")), ""


def _response(response: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "score" in response:
        before = f"{data['previous']['score']} → " if "previous" in data else ""
        band = str(response.get("band"))
        yield f"{band} {before}{response['score']}", COLOURS.get(band, "")
    else:
        yield str(response.get("id")), ""
    if comment := response.get("comment"):
        yield f"“{_cut(' '.join(comment.split()), LONGEST_COMMENT)}”", ""


def _recipient(recipient: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield str(recipient.get("email") or recipient.get("external_id") or recipient.get("id")), ""


def _named(thing: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield str(thing.get("name")), ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
