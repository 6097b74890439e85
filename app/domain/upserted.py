from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Upserted:
    """Which thing a description meant, and what it did to it."""

    id: UUID
    change: Change
