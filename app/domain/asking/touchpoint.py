"""Something that happened to somebody, after which they may be asked: an order, a ticket, a course."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.errors import Conflict, NotFound
from app.domain.people.properties import are_the_same


class TouchpointNotFound(NotFound):
    """There is no such touchpoint."""

    code = "touchpoint_not_found"


class TouchpointConflict(Conflict):
    """Another touchpoint has this name and external id."""

    code = "touchpoint_conflict"


@dataclass(frozen=True, slots=True)
class NewTouchpoint:
    """`is_timed`: the caller said when; else `occurred_at` is when we heard of it."""

    recipient_id: UUID
    name: str
    occurred_at: datetime
    external_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    is_timed: bool = True

    def is_the_same(self, *, recipient_id: UUID, occurred_at: datetime, properties: Mapping[str, Any]) -> bool:
        return (
            self.recipient_id == recipient_id
            and are_the_same(self.properties, properties)
            and (not self.is_timed or self.occurred_at == occurred_at)
        )


@dataclass(frozen=True, slots=True)
class RecordedTouchpoint:
    id: UUID
    is_new: bool
