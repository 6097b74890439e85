from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.campaign import (
    CampaignEndsBeforeStart,
    CampaignFieldFixed,
    CampaignMove,
    CampaignMoveRefused,
    CampaignNotAccepting,
    CampaignState,
    check_accepts_answers,
    check_dates,
    check_edit,
    moved,
    moves_from,
    state_due,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
STATES = st.sampled_from(CampaignState)
INSTANTS = st.sampled_from([None, EARLIER, NOW, LATER])

# The whole table, written out: state, then what each move leads to (no dates given).
LIFE = {
    "draft": {"launch": "running", "archive": "archived"},
    "scheduled": {"pause": "paused", "complete": "completed"},
    "running": {"pause": "paused", "complete": "completed"},
    "paused": {"resume": "running", "complete": "completed"},
    "completed": {"archive": "archived"},
    "archived": {},
}


@pytest.mark.parametrize("state", CampaignState)
@pytest.mark.parametrize("move", CampaignMove)
def test_every_move_from_every_state_goes_where_the_table_says(state: CampaignState, move: CampaignMove) -> None:
    leads_to = LIFE[state].get(move)
    if leads_to is not None:
        assert moved(state, move, now=NOW) == leads_to
        return
    with pytest.raises(CampaignMoveRefused) as refused:
        moved(state, move, now=NOW)
    assert refused.value.members == {"state": state, "allowed": list(LIFE[state])}
    assert state in refused.value.detail
    assert move in refused.value.detail


@pytest.mark.parametrize("state", CampaignState)
def test_the_moves_offered_are_those_of_the_table(state: CampaignState) -> None:
    assert moves_from(state) == list(LIFE[state])


@pytest.mark.parametrize(("starts_at", "state"), [(None, "running"), (NOW, "running"), (LATER, "scheduled")])
@pytest.mark.parametrize(("before", "move"), [("draft", "launch"), ("paused", "resume")])
def test_before_its_start_a_campaign_is_scheduled(
    before: str, move: str, starts_at: datetime | None, state: str
) -> None:
    found = moved(CampaignState(before), CampaignMove(move), now=NOW, starts_at=starts_at, ends_at=NOW + timedelta(9))
    assert found == state


@pytest.mark.parametrize(("before", "move"), [("draft", "launch"), ("paused", "resume")])
def test_a_campaign_whose_end_has_passed_does_not_begin_again(before: str, move: str) -> None:
    with pytest.raises(CampaignMoveRefused) as refused:
        moved(CampaignState(before), CampaignMove(move), now=NOW, ends_at=NOW)
    assert move not in refused.value.members["allowed"]  # type: ignore[operator]  # members are plain objects
    assert moved(CampaignState(before), CampaignMove(move), now=NOW, ends_at=LATER) is CampaignState.RUNNING


@pytest.mark.parametrize(
    ("state", "starts_at", "ends_at", "due"),
    [
        ("scheduled", LATER, None, "scheduled"),
        ("scheduled", NOW, None, "running"),
        ("scheduled", None, None, "running"),
        ("scheduled", EARLIER, NOW, "completed"),  # nobody was awake for the whole of it
        ("running", LATER, None, "running"),  # its start was moved while it ran: it goes on
        ("running", EARLIER, LATER, "running"),
        ("running", EARLIER, NOW, "completed"),
        ("paused", EARLIER, NOW, "paused"),
        ("draft", EARLIER, NOW, "draft"),
        ("completed", LATER, None, "completed"),
        ("archived", EARLIER, None, "archived"),
    ],
)
def test_time_alone_starts_and_completes(
    state: str, starts_at: datetime | None, ends_at: datetime | None, due: str
) -> None:
    assert state_due(CampaignState(state), now=NOW, starts_at=starts_at, ends_at=ends_at) == due


@given(STATES, INSTANTS, INSTANTS)
def test_a_state_that_is_due_stays_due(state: CampaignState, starts_at: datetime, ends_at: datetime) -> None:
    due = state_due(state, now=NOW, starts_at=starts_at, ends_at=ends_at)
    assert state_due(due, now=NOW, starts_at=starts_at, ends_at=ends_at) is due


@pytest.mark.parametrize("state", CampaignState)
def test_only_drafts_and_archived_campaigns_refuse_answers(state: CampaignState) -> None:
    if state not in {CampaignState.DRAFT, CampaignState.ARCHIVED}:
        check_accepts_answers(state)
        return
    with pytest.raises(CampaignNotAccepting) as refused:
        check_accepts_answers(state)
    assert refused.value.members == {"state": state}


@pytest.mark.parametrize("state", CampaignState)
def test_metric_and_kind_are_fixed_at_launch(state: CampaignState) -> None:
    if state is CampaignState.DRAFT:
        check_edit(state, changed=["metric", "kind", "name"])
        return
    with pytest.raises(CampaignFieldFixed) as refused:
        check_edit(state, changed=["metric", "kind"])
    assert refused.value.members == {"state": state, "fields": ["kind", "metric"]}


def test_everything_else_of_a_running_campaign_can_be_edited() -> None:
    check_edit(CampaignState.RUNNING, changed=["name", "ends_at", "goal"])


def test_nothing_of_an_archived_campaign_can_be_edited() -> None:
    check_edit(CampaignState.ARCHIVED, changed=[])
    with pytest.raises(CampaignFieldFixed):
        check_edit(CampaignState.ARCHIVED, changed=["name"])


def test_a_campaign_ends_after_it_starts() -> None:
    check_dates(starts_at=NOW, ends_at=LATER)
    check_dates(starts_at=None, ends_at=EARLIER)
    check_dates(starts_at=LATER, ends_at=None)
    for ends_at in (NOW, EARLIER):
        with pytest.raises(CampaignEndsBeforeStart):
            check_dates(starts_at=NOW, ends_at=ends_at)
