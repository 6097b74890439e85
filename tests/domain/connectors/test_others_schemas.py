"""What we send, judged by what its vendors publish: Slack's own models, and Microsoft's schema of Adaptive Cards."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from app.domain.connectors import slack, teams
from app.domain.connectors.story import Background, Person, Story
from app.domain.follow_up import FollowUp, FollowUpState
from app.domain.scores.metric import Band
from tests.outbound.connectors.stories import STORY

LINK = "https://crm.example/p/{external_id}"
CARDS = json.loads((files("adaptive_cards") / "schemas" / "schema-1.4.json").read_text(encoding="utf-8"))
VALID_CARD = jsonschema_rs.validator_for(CARDS)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
some_text = st.none() | texts.filter(bool)
long_texts = st.builds(lambda text, times: (text * times)[:20_000], texts.filter(bool), st.integers(1, 400))
people = st.none() | st.builds(
    Person, id=st.just("rcpt_1"), external_id=some_text, email=some_text, name=some_text,
    properties=st.dictionaries(st.sampled_from(["plan", "tier", "seats"]), texts | st.integers() | st.booleans()),
)  # fmt: skip
follow_ups = st.builds(FollowUp, st.sampled_from(FollowUpState), st.text(max_size=80), st.text(max_size=80))
stories: st.SearchStrategy[Story] = st.builds(
    replace,
    st.just(STORY),
    person=people,
    comment=st.none() | long_texts,
    campaign=texts.filter(bool),
    occasion=some_text,
    band=st.sampled_from(Band),
    previous_score=st.none() | st.integers(0, 10),
    background=st.builds(
        Background,
        account=some_text,
        account_owner=some_text,
        last_score=st.none() | st.integers(0, 10),
        follow_up=st.none() | follow_ups,
    ),
    is_live=st.booleans(),
)


@given(story=stories, has_buttons=st.booleans())
def test_slack_would_take_every_message(story: Story, has_buttons: bool) -> None:
    message = slack.message_of(story, link=LINK, has_buttons=has_buttons)
    assert message["text"]
    for block in message["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


@given(story=stories)
def test_every_card_for_teams_is_an_adaptive_card(story: Story) -> None:
    VALID_CARD.validate(card_of(story))


def card_of(story: Story) -> dict[str, Any]:
    """Without what Teams adds to the format."""
    (attachment,) = teams.message_of(story, link=LINK)["attachments"]
    return {name: value for name, value in attachment["content"].items() if name != "msteams"}


def in_pink(card: dict[str, Any]) -> None:
    card["body"][0]["inlines"][0]["color"] = "pink"


def without_type(card: dict[str, Any]) -> None:
    del card["body"][0]["type"]


def without_url(card: dict[str, Any]) -> None:
    del card["actions"][0]["url"]


@pytest.mark.parametrize("spoil", [in_pink, without_type, without_url])
def test_the_schema_notices_what_is_wrong(spoil: Callable[[dict[str, Any]], None]) -> None:
    card = card_of(STORY)
    spoil(card)
    assert not VALID_CARD.is_valid(card)


def test_slacks_models_notice_what_is_too_long() -> None:
    (section, *_) = [block for block in slack.message_of(STORY, link=LINK)["blocks"] if "text" in block]
    section["text"]["text"] = "x" * 3_001
    with pytest.raises(SlackObjectFormationError):
        Block.parse(section).validate_json()  # type: ignore[union-attr]
