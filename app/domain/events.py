"""What is announced. One event for each change; names in the past tense and stable for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.errors import NotFound

SCHEMA_VERSION = 1
KEPT_FOR = timedelta(days=30)


class EventNotFound(NotFound):
    """There is no such event."""

    code = "event_not_found"


class EventType(StrEnum):
    RESPONSE_CREATED = "response.created"
    RESPONSE_UPDATED = "response.updated"
    RESPONSE_BAND_CHANGED = "response.band_changed"  # instead of updated, when an amendment moves the band
    RESPONSE_EXCLUDED = "response.excluded"
    RESPONSE_RESTORED = "response.restored"
    RESPONSE_DELETED = "response.deleted"
    RESPONSE_FOLLOWED_UP = "response.followed_up"  # somebody took it on, or is done with it
    RESPONSE_IMPORTED = "response.imported"  # old answers are not news
    CAMPAIGN_CREATED = "campaign.created"
    CAMPAIGN_UPDATED = "campaign.updated"
    CAMPAIGN_LAUNCHED = "campaign.launched"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_ARCHIVED = "campaign.archived"
    RECIPIENT_CREATED = "recipient.created"
    RECIPIENT_UPDATED = "recipient.updated"
    RECIPIENT_UNSUBSCRIBED = "recipient.unsubscribed"
    RECIPIENT_DELETED = "recipient.deleted"
    IMPORT_COMPLETED = "import.completed"
    ENDPOINT_TEST = "endpoint.test"
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"
    DELIVERY_EXHAUSTED = "delivery.exhausted"


# Names to subscribe by: an answer that arrives in this band, or is moved into or out of it. The endpoint still gets
# the one event that happened.
BAND_ALIASES: Mapping[str, str] = {
    "response.promoter": "promoter",
    "response.passive": "passive",
    "response.detractor": "detractor",
}
SUBSCRIBABLE = frozenset({*EventType, *BAND_ALIASES})


@dataclass(frozen=True, slots=True)
class Event:
    """`body` is the `data` of the payload, ids as people see them."""

    type: EventType
    body: Mapping[str, Any]
    occurred_at: datetime
    revision: int = 1
    campaign_id: UUID | None = None
    recipient_id: UUID | None = None
    response_id: UUID | None = None
    band: str | None = None
    previous_band: str | None = None
    score: int | None = None
    endpoint_id: UUID | None = None  # deliver to this endpoint only
