from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.blackouts import Blackout, Blackouts
from app.domain.asking.reminders import MOST_REMINDERS, Reminders, expires_at, next_reminder
from tests.domain.asking.open_time import open_time_between

ASKED_AT = datetime(2026, 6, 1, 10, tzinfo=UTC)
TWICE = Reminders((4, 10), 30)
DAYS = st.sets(st.integers(1, 29), max_size=MOST_REMINDERS).map(lambda days: tuple(sorted(days)))
REMINDERS = st.builds(Reminders, DAYS, st.integers(30, 60))
BLACKOUTS = st.lists(
    st.builds(lambda since, long: Blackout(after(since), after(since + long)), st.integers(-5, 50), st.integers(1, 9)),
    max_size=3,
).map(tuple)


def after(days: float) -> datetime:
    return ASKED_AT + timedelta(days=days)


def remind(reminders: Reminders, sent: int = 0, last: float = 0, blackouts: Blackouts = ()) -> datetime | None:
    return next_reminder(reminders, asked_at=ASKED_AT, sent=sent, last_sent_at=after(last), blackouts=blackouts)


def test_reminders_are_counted_from_the_first_message() -> None:
    assert remind(TWICE) == after(4)
    assert remind(TWICE, sent=1, last=4) == after(10)
    assert remind(TWICE, sent=2, last=10) is None
    assert remind(Reminders()) is None


def test_a_late_reminder_pushes_the_next_one_back() -> None:
    assert remind(TWICE, sent=1, last=9) == after(15)


def test_a_reminder_pushed_past_the_expiry_is_not_sent() -> None:
    assert remind(TWICE, sent=1, last=24) is None


def test_reminders_and_expiry_wait_for_the_end_of_a_blackout() -> None:
    blackouts = (Blackout(after(2), after(9)),)
    assert remind(TWICE, blackouts=blackouts) == after(11)
    assert expires_at(TWICE, asked_at=ASKED_AT, blackouts=blackouts) == after(37)


def test_an_invitation_expires_so_many_days_after_its_first_message() -> None:
    assert expires_at(Reminders(expires_after_days=14), asked_at=ASKED_AT, blackouts=()) == after(14)


@given(REMINDERS, BLACKOUTS, st.lists(st.integers(0, 100), min_size=3, max_size=3))
def test_reminders_keep_their_distance_however_late_each_is(
    reminders: Reminders, blackouts: Blackouts, hours_late: list[int]
) -> None:
    sent_at = [ASKED_AT]
    gaps = [days - before for before, days in zip((0, *reminders.after_days), reminders.after_days, strict=False)]
    for late in hours_late:
        due = next_reminder(
            reminders, asked_at=ASKED_AT, sent=len(sent_at) - 1, last_sent_at=sent_at[-1], blackouts=blackouts
        )
        if due is None:
            break
        assert open_time_between(sent_at[-1], due, blackouts) >= timedelta(days=gaps[len(sent_at) - 1])
        assert due < expires_at(reminders, asked_at=ASKED_AT, blackouts=blackouts)
        sent_at.append(due + timedelta(hours=late))
    assert len(sent_at) <= 1 + len(reminders.after_days)


@pytest.mark.parametrize(
    ("after_days", "expires", "pointer"),
    [
        ((4, 4), 30, "/asking/reminders/1/after_days"),
        ((0,), 30, "/asking/reminders/0/after_days"),
        ((4, 30), 30, "/asking/reminders/1/after_days"),
        ((1, 2, 3, 4), 30, "/asking/reminders"),
        ((), 0, "/asking/expires_after_days"),
        ((), 366, "/asking/expires_after_days"),
    ],
)
def test_absurd_reminders_are_refused(after_days: tuple[int, ...], expires: int, pointer: str) -> None:
    with pytest.raises(AskingInvalid) as refused:
        Reminders(after_days, expires)
    assert refused.value.pointer == pointer


def test_what_is_stored_is_read_again() -> None:
    assert Reminders.from_json(TWICE.to_json()) == TWICE
    assert Reminders.from_json({}) == Reminders((), 30)
