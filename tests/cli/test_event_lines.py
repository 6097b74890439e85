"""Every event there is fits a line that tells what it is about."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.cli.event_lines import event_line, reply_line
from app.domain.events import EventType
from app.domain.webhooks.attempts import Failure, Outcome

GOLDEN = Path(__file__).parents[1] / "golden" / "events" / "v1"


def an_event(name: str) -> dict[str, Any]:
    return dict(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", sorted(EventType))
def test_every_event_has_a_line(name: str) -> None:
    event = an_event(name)
    line = event_line(event).plain
    assert line.startswith(f"10:15:00  {name}")
    assert line.endswith(event["id"])
    assert len(line.removeprefix(f"10:15:00  {name}").removesuffix(event["id"]).strip()) > 3, "it says nothing"
    assert "\n" not in line


def test_a_change_of_band_says_both_scores() -> None:
    assert "  detractor 9 → 3  " in event_line(an_event("response.band_changed")).plain


def test_what_a_later_version_sends_is_shown_as_far_as_it_is_known() -> None:
    event = {**an_event("response.created"), "type": "weather.changed", "data": {"weather": {"id": "w_1"}}}
    assert "weather.changed" in event_line(event).plain


@pytest.mark.parametrize("typed", ["\x1b]0;title\x07", "\u202egnp.exe", "one\rtwo", "\x9b31m", "[red]x[/red]"])
def test_nothing_that_people_type_steers_the_terminal(typed: str) -> None:
    event = an_event("response.created")
    event["data"]["response"]["comment"] = typed
    event["data"]["recipient"]["email"] = typed
    event["data"]["campaign"]["name"] = typed
    line = event_line(event).plain
    assert line.isprintable()
    reply = Outcome(
        status=200, failure=None, retry_after_seconds=None, head=typed.encode(), duration_ms=3, sent=True
    )  # fmt: skip
    assert reply_line(reply).plain.isprintable()
    assert ("[red]x[/red]" in line) == (typed == "[red]x[/red]")


def test_a_long_comment_and_a_long_reply_are_cut() -> None:
    event = an_event("response.created")
    event["data"]["response"]["comment"] = "very " * 100
    assert len(event_line(event).plain) < 250
    page = Outcome(
        status=500, failure=Failure.BAD_STATUS, retry_after_seconds=None, head=b"<html>" * 500, duration_ms=3, sent=True
    )  # fmt: skip
    assert len(reply_line(page).plain) < 200
