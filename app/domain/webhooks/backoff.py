"""When a failed delivery is tried again.

The timetable is the one Standard Webhooks gives as its example: ten attempts, the last 75 h 35 min 5 s after the
first, long enough for a receiver to be down over a weekend. https://www.standardwebhooks.com
"""

from datetime import timedelta

from app.domain.webhooks.attempts import DISABLING, FINAL, Failure, Outcome

DELAYS = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)  # before each attempt, counted from the one before
JITTER = 0.2  # ± share of a delay, so that what failed together does not come back together
BREATHER = timedelta(seconds=60)  # the least we leave a receiver that says or shows it has too much to do
LONGEST_RETRY_AFTER = timedelta(hours=24)

THROTTLING = frozenset({429, 502, 504})  # as Standard Webhooks reads them
TIMEOUTS = frozenset({Failure.TIMEOUT, Failure.CONNECT_TIMEOUT})


def next_attempt(attempts_made: int, *, outcome: Outcome, jitter: float) -> timedelta | None:
    """How long to wait before trying again; None when this was the last attempt.

    `jitter` is a random number from 0 to 1. A Retry-After is honoured in full, up to 24 h, but only ever lengthens
    the wait: receivers that ask for two minutes still get three days of attempts.
    """
    if attempts_made >= len(DELAYS) or outcome.failure in FINAL:
        return None
    planned = DELAYS[attempts_made] * (1 + JITTER * (2 * jitter - 1))
    return max(planned, _breather(outcome), _asked_for(outcome))


def disables_endpoint(outcome: Outcome) -> bool:
    """410 Gone is the receiver's way to say: never again. Services that connectors know have other ways."""
    return outcome.failure in DISABLING


def _breather(outcome: Outcome) -> timedelta:
    is_overloaded = outcome.status in THROTTLING or outcome.failure in TIMEOUTS
    return BREATHER if is_overloaded else timedelta(0)


def _asked_for(outcome: Outcome) -> timedelta:
    """Receivers say anything, infinity and what is no number included; `max` takes its first for the latter."""
    seconds = max(0.0, outcome.retry_after_seconds or 0.0)
    return timedelta(seconds=min(seconds, LONGEST_RETRY_AFTER.total_seconds()))
