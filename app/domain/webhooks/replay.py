"""Sending again what an endpoint missed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.errors import Conflict, NotFound, RuleViolation


class ReplayState(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"  # somebody wanted it so, or its endpoint was disabled or deleted meanwhile


def state_of(replay: Mapping[Any, Any]) -> ReplayState:
    """`replay` has `finished_at` and `is_cancelled`."""
    if replay["is_cancelled"]:
        return ReplayState.CANCELLED
    return ReplayState.COMPLETED if replay["finished_at"] else ReplayState.RUNNING


class ReplayNotFound(NotFound):
    """There is no such replay."""

    code = "replay_not_found"


class ReplayFinished(Conflict):
    """The replay is finished."""

    code = "replay_finished"


class ReplayRangeEmpty(RuleViolation):
    """No event can lie in this range."""

    code = "replay_range_empty"


@dataclass(frozen=True, slots=True)
class ReplayRange:
    """Events from `since` on, before `until`."""

    since: datetime
    until: datetime
    include_never_attempted: bool = False  # what it would get today; else only what was given up

    def check(self) -> None:
        """Raises ReplayRangeEmpty."""
        if self.since >= self.until:
            raise ReplayRangeEmpty("`until` has to be later than `since`.", pointer="/until")


def missed_while_disabled(disabled_at: datetime, failing_since: datetime | None, *, now: datetime) -> ReplayRange:
    """The events while it was disabled, and what had failed since it last answered well."""
    return ReplayRange(failing_since or disabled_at, now, include_never_attempted=True)
