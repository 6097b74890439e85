from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.webhooks.attempts import HINTS, Failure, Outcome, failure_of, head_text
from app.domain.webhooks.backoff import DELAYS, disables_endpoint, next_attempt

MIDDLE = 0.5  # no jitter


def an_outcome(
    status: int | None = 500, *, failure: Failure | None = None, retry_after: float | None = None
) -> Outcome:
    return Outcome(
        status=status,
        failure=failure or (failure_of(status) if status else Failure.RESET),
        retry_after_seconds=retry_after,
        head=b"",
        duration_ms=1,
        sent=True,
    )


def waits(outcome: Outcome, *, jitter: float = MIDDLE) -> list[timedelta]:
    found = [next_attempt(made, outcome=outcome, jitter=jitter) for made in range(1, len(DELAYS) + 1)]
    assert found.pop() is None
    return found


def test_ten_attempts_spread_over_three_days_and_more():
    assert waits(an_outcome()) == list(DELAYS[1:])
    assert len(DELAYS) == 10
    assert sum(waits(an_outcome()), timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@given(st.floats(0, 1), st.integers(1, 9))
def test_jitter_moves_a_wait_by_at_most_a_fifth(jitter, made):
    wait = next_attempt(made, outcome=an_outcome(), jitter=jitter)

    assert DELAYS[made] * 0.8 <= wait <= DELAYS[made] * 1.2


def test_jitter_reaches_both_ends():
    assert waits(an_outcome(), jitter=0)[1] == timedelta(minutes=4)
    assert waits(an_outcome(), jitter=1)[1] == timedelta(minutes=6)


@pytest.mark.parametrize(
    "outcome",
    [
        an_outcome(429),
        an_outcome(502),
        an_outcome(504),
        an_outcome(None, failure=Failure.TIMEOUT),
        an_outcome(None, failure=Failure.CONNECT_TIMEOUT),
    ],
)
def test_an_overloaded_receiver_gets_a_minute(outcome):
    assert waits(outcome)[:2] == [timedelta(seconds=60), timedelta(minutes=5)]


@pytest.mark.parametrize("outcome", [an_outcome(500), an_outcome(None, failure=Failure.REFUSED), an_outcome(302)])
def test_other_failures_are_tried_again_after_five_seconds(outcome):
    assert waits(outcome)[0] == timedelta(seconds=5)


def test_retry_after_is_honoured_in_full_up_to_a_day():
    assert waits(an_outcome(429, retry_after=7_200))[:4] == [timedelta(hours=2)] * 4
    assert waits(an_outcome(503, retry_after=86_400))[0] == timedelta(hours=24)
    assert waits(an_outcome(503, retry_after=10**9))[0] == timedelta(hours=24)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (float("inf"), timedelta(hours=24)),
        (1e300, timedelta(hours=24)),
        (float("nan"), timedelta(minutes=5)),
        (float("-inf"), timedelta(minutes=5)),
        (-1.0, timedelta(minutes=5)),
    ],
)
def test_a_retry_after_that_no_clock_knows_is_brought_into_range(said, wait):
    assert next_attempt(2, outcome=an_outcome(503, retry_after=said), jitter=MIDDLE) == wait


def test_retry_after_never_shortens_a_wait():
    assert waits(an_outcome(503, retry_after=1)) == list(DELAYS[1:])


@given(st.sampled_from([200, 301, 404, 429, 500]), st.floats(0, 10**9), st.floats(0, 1), st.integers(1, 9))
def test_a_wait_is_never_longer_than_a_day_and_its_jitter(status, retry_after, jitter, made):
    wait = next_attempt(made, outcome=an_outcome(status, retry_after=retry_after), jitter=jitter)

    assert timedelta(seconds=4) <= wait <= timedelta(hours=24) * 1.2


def test_gone_is_the_end_for_the_endpoint():
    assert disables_endpoint(an_outcome(410))
    assert next_attempt(1, outcome=an_outcome(410, retry_after=5), jitter=MIDDLE) is None
    assert not disables_endpoint(an_outcome(404))


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (200, None),
        (299, None),
        (101, Failure.BAD_STATUS),
        (199, Failure.BAD_STATUS),
        (300, Failure.REDIRECT),
        (399, Failure.REDIRECT),
        (400, Failure.BAD_STATUS),
        (410, Failure.GONE),
        (599, Failure.BAD_STATUS),
    ],
)
def test_only_2xx_delivers(status, failure):
    assert failure_of(status) is failure


def test_every_failure_says_what_to_do():
    assert set(HINTS) == set(Failure)
    assert all(failure.hint.endswith(".") for failure in Failure)


def test_a_head_becomes_text_whatever_was_sent():
    assert head_text(b"a\0b\xff\xc3") == "a\ufffdb\ufffd\ufffd"
