"""The translation that docs/from-delighted.md offers, held against events as they really leave."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.events import EventType
from tests.docs.receiving import EXAMPLES

GOLDEN = Path(__file__).parents[1] / "golden" / "events" / "v1"
PAGE = (EXAMPLES.parent / "from-delighted.md").read_text(encoding="utf-8")

_spec = importlib.util.spec_from_file_location("from_delighted", EXAMPLES / "from_delighted.py")
assert _spec is not None
assert _spec.loader is not None
example = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(example)


def an_event(name: str) -> dict[str, Any]:
    return dict(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


def test_an_answer_says_the_same_in_their_words() -> None:
    assert example.as_delighted(an_event("response.created")) == {
        "event_type": "survey_response.created",
        "event_id": "evt_00000000000000000000000000000001",
        "event_data": {
            "id": "resp_00000000000000000000000000000003",
            "person": {"id": "rcpt_00000000000000000000000000000005", "email": "ada@example.com", "name": "Ada"},
            "survey_type": "nps",
            "score": 9,
            "comment": None,
            "permalink": None,
            "created_at": 1795342500,
            "updated_at": 1795342500,
            "person_properties": {"plan": "pro", "seats": 12, "trial": False, "order": "A-1"},
            "notes": [],
            "tags": [],
            "additional_answers": [],
        },
    }


def test_somebody_who_unsubscribes_does_so_in_their_words() -> None:
    told = example.as_delighted(an_event("recipient.unsubscribed"))
    assert told["event_type"] == "unsubscribe.created"
    assert (told["event_data"]["email"], told["event_data"]["unsubscribed_at"]) == ("ada@example.com", 1795342500)


@pytest.mark.parametrize("name", sorted(EventType))
def test_whatever_is_sent_is_translated_or_left_out(name: str) -> None:
    told = example.as_delighted(an_event(name))
    assert (told is not None) == (name in example.TYPES)
    assert f"`{name}`" in PAGE or told is None
    if told is not None:
        assert f"`{told['event_type']}`" in PAGE


def test_an_anonymous_answer_has_no_person() -> None:
    event = an_event("response.created")
    event["data"]["recipient"] = None
    assert example.as_delighted(event)["event_data"]["person"] is None


def test_what_erasure_left_is_left_out() -> None:
    event = {**an_event("response.created"), "data": {"redacted": True, "response": None, "recipient": None}}
    assert example.as_delighted(event) is None
