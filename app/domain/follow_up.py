"""Looking after somebody who answered: who does, and whether it is done."""

from dataclasses import dataclass
from enum import StrEnum

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
