"""Something that happened to somebody, after which they may be asked: an order, a ticket, a course."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.errors import NotFound


class TouchpointNotFound(NotFound):
    """There is no such touchpoint."""

    code = "touchpoint_not_found"


@dataclass(frozen=True, slots=True)
class NewTouchpoint:
    recipient_id: UUID
    name: str
    occurred_at: datetime
    external_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedTouchpoint:
    id: UUID
    is_new: bool
