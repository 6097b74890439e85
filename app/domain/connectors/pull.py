"""A pull as people see it, and when it is tried again."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.domain.errors import NotFound
from app.domain.webhooks.attempts import FINAL, Failure

SHORTEST_HOURS, LONGEST_HOURS, USUAL_HOURS = 1, 168, 24
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


class PullState(StrEnum):
    OFF = "off"
    WAITING = "waiting"
    RUNNING = "running"
    FAILING = "failing"  # the last attempt failed; it is tried again


class PullNotSet(NotFound):
    """This endpoint pulls nobody."""

    code = "pull_not_set"


def state_of(pull: Mapping[str, Any] | None) -> PullState:
    if pull is None:
        return PullState.OFF
    if pull["failures"]:
        return PullState.FAILING
    return PullState.RUNNING if pull["position"] is not None or pull["claim_id"] is not None else PullState.WAITING


def wait_after(failure: Failure, *, failures: int, every: timedelta, asked_seconds: float | None) -> timedelta:
    """`failures` in a row, this one included. What would fail again waits for its usual time."""
    if failure in FINAL:
        return every
    asked = timedelta(seconds=asked_seconds or 0)
    return max(asked, min(FIRST_WAIT * (1 << min(failures - 1, 10)), LONGEST_WAIT, every))
