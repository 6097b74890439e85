from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Upserted(NamedTuple):
    """Which thing a description meant, and what it did to it."""

    id: UUID
    change: Change
