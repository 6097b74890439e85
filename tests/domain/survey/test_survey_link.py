from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.campaign import CampaignState
from app.domain.response import Certainty
from app.domain.survey.survey_link import (
    Confirmation,
    LinkState,
    Sign,
    certainty_of,
    link_state,
    masked_email,
    may_replace,
)

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def state(**given: Any) -> LinkState:
    usual: dict[str, Any] = {
        "campaign": CampaignState.RUNNING, "expires_at": NOW + DAY, "is_expired": False, "answered_at": None,
        "is_certain": False, "change_for": 14 * DAY, "now": NOW,
    }  # fmt: skip
    return link_state(**(usual | given))


def test_a_link_is_open_until_it_expires() -> None:
    assert state() is LinkState.OPEN
    assert state(expires_at=None) is LinkState.OPEN
    assert state(expires_at=NOW) is LinkState.LATE
    assert state(expires_at=NOW - timedelta(hours=1)) is LinkState.EXPIRED
    assert state(is_expired=True, expires_at=None) is LinkState.EXPIRED


def test_what_is_on_its_way_when_a_link_expires_may_arrive_within_an_hour() -> None:
    for is_expired in (False, True):  # a worker has seen it, or not yet
        assert state(expires_at=NOW - timedelta(minutes=59), is_expired=is_expired) is LinkState.LATE
        assert state(expires_at=NOW - timedelta(minutes=60), is_expired=is_expired) is LinkState.EXPIRED
    late = {"expires_at": NOW, "is_expired": True}
    assert state(**late, campaign=CampaignState.ARCHIVED) is LinkState.ENDED
    assert state(**late, answered_at=NOW, is_certain=True) is LinkState.ANSWERED


def test_an_answer_may_be_changed_for_a_while_also_when_the_link_has_expired() -> None:
    assert state(answered_at=NOW - 14 * DAY, is_certain=True, is_expired=True) is LinkState.ANSWERED
    assert state(answered_at=NOW - 15 * DAY, is_certain=True) is LinkState.SETTLED


def test_an_answer_that_may_have_been_a_scanners_leaves_the_link_open() -> None:
    assert state(answered_at=NOW, is_certain=False) is LinkState.OPEN


@pytest.mark.parametrize("campaign", CampaignState)
def test_a_campaign_that_asks_no_more_still_takes_answers_until_it_is_archived(campaign: CampaignState) -> None:
    is_ended = campaign in {CampaignState.ARCHIVED, CampaignState.DRAFT}
    assert state(campaign=campaign) is (LinkState.ENDED if is_ended else LinkState.OPEN)


def test_only_a_person_confirms_and_looking_is_only_probable() -> None:
    found = {sign: certainty_of(sign, confirmation=Confirmation.AUTO) for sign in Sign}
    assert found == {
        Sign.SEEN: None, Sign.DWELL: Certainty.PROBABLE, Sign.GESTURE: Certainty.CONFIRMED,
        Sign.CHANGE: Certainty.CONFIRMED, Sign.SEND: Certainty.CONFIRMED,
    }  # fmt: skip


def test_where_answers_are_always_confirmed_only_send_counts() -> None:
    found = {sign for sign in Sign if certainty_of(sign, confirmation=Confirmation.ALWAYS)}
    assert found == {Sign.SEND}


def test_moving_over_another_link_changes_no_answer() -> None:
    assert not may_replace(Sign.GESTURE, recorded=9, score=3)
    assert not may_replace(Sign.DWELL, recorded=9, score=3)
    assert may_replace(Sign.GESTURE, recorded=9, score=9)
    assert may_replace(Sign.CHANGE, recorded=9, score=3)
    assert may_replace(Sign.SEND, recorded=9, score=3)


def test_what_was_answered_with_a_gesture_is_not_changed_without_one() -> None:
    assert not may_replace(Sign.SEND, recorded=9, score=3, was_moved=True)
    assert may_replace(Sign.SEND, recorded=9, score=9, was_moved=True)


def test_an_address_is_shown_to_nobody_who_does_not_know_it() -> None:
    assert masked_email("jane@example.com") == "j…@…"
    assert masked_email("nonsense") == "…"
