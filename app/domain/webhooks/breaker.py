"""When an endpoint that keeps failing is left alone, and how it is asked whether it has recovered.

After some failures in a row nothing is sent for a while; then a single delivery is, as a probe. A probe that fails
makes the next pause longer, one that arrives ends it. What waits meanwhile counts no attempts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.webhooks.attempts import Failure, Outcome

OPENS_AFTER = 5  # failures in a row, seen by all workers together
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
)  # the last one goes on

WARNED_AFTER = timedelta(minutes=30)  # of nothing but failures
WARNED_EVERY = timedelta(days=1)
DISABLED_AFTER = timedelta(days=5)  # of nothing but failures: longer than any delivery is retried


# To refuse one delivery, a service must be well; and what goes wrong on our side says nothing of theirs.
ABOUT_ONE_DELIVERY = frozenset({Failure.REJECTED, Failure.TEMPLATE_FAILED, Failure.CUT_SHORT})


def tells_of_health(outcome: Outcome) -> bool:
    """Whether anything can be learned from it about the endpoint. Of what was never sent, nothing."""
    if outcome.failure is None:
        return outcome.status is not None
    return outcome.failure not in ABOUT_ONE_DELIVERY


class HealthState(StrEnum):
    HEALTHY = "healthy"
    FAILING = "failing"  # the last attempt failed, deliveries go on
    PAUSED = "paused"  # nothing is sent but a probe when the pause is over


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """Failures since the last success; an endpoint without any is healthy."""

    failures: int = 0  # in a row
    failing_since: datetime | None = None
    last_failed_at: datetime | None = None
    last_failure: Failure | None = None
    paused_until: datetime | None = None  # also in the past, while the outcome of a probe is not known

    @property
    def state(self) -> HealthState:
        if self.paused_until is not None:
            return HealthState.PAUSED
        return HealthState.FAILING if self.failures else HealthState.HEALTHY
