"""Looking after somebody who answered: who does, and whether it is done."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LONGEST_NAME = 80  # characters


class FollowUpState(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class FollowUp:
    state: FollowUpState
    owner: str | None
    changed_by: str


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody says that they take an answer on, or that it is done with."""

    response_id: UUID
    state: FollowUpState
    actor: str
    pressed_at: datetime
