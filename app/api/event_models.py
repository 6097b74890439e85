"""What webhooks carry: for each type of event, the payload as `app/domain/webhooks/payload.py` writes it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from app.api.campaign_models import Campaign
from app.api.imports import ImportReply
from app.api.recipient_models import RecipientReply
from app.api.schemas import (
    CampaignId,
    DeliveryId,
    EndpointId,
    EventId,
    Instant,
    InvitationId,
    RecipientId,
    Reply,
    ResponseId,
    WorkspaceId,
)
from app.domain.campaign import CampaignKind
from app.domain.events import BAND_ALIASES, EventType
from app.domain.follow_up import FollowUpState
from app.domain.response import Certainty, Channel
from app.domain.scores.metric import Band, MetricKey
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.webhook_endpoint import DisabledReason


class EventEnvelope(Reply):
    id: EventId = Field(description="Also the `webhook-id`: the same at every attempt and for every endpoint.")
    timestamp: Instant = Field(description="When it happened.")
    schema_version: Literal[1] = Field(description="Of `data`. Grows only when a reader would have to change.")
    livemode: bool = Field(description="False in the test workspace.")
    workspace_id: WorkspaceId


class AnnouncedResponse(Reply):
    """As it stood when it was announced, or, for an endpoint with a delay, when the delay had passed."""

    id: ResponseId
    campaign_id: CampaignId
    survey_version: int | None = Field(description="Null for anonymous campaigns, like all that could single out.")
    recipient_id: RecipientId | None
    channel: Channel
    score: int
    band: Band
    comment: str | None
    language: str | None
    may_contact: bool | None
    occasion: str | None
    import_id: str | None
    invitation_id: InvitationId | None
    wave: int | None
    variant: str | None
    certainty: Certainty
    answers: dict[str, Any] | None
    properties: dict[str, Any]
    answered_at: Instant
    revision: int


class AnnouncedCampaign(Reply):
    id: CampaignId
    name: str
    kind: CampaignKind
    metric: MetricKey


class AnnouncedRecipient(Reply):
    id: RecipientId
    external_id: str | None
    email: str | None
    name: str | None
    properties: dict[str, Any]


class ResponseData(Reply):
    response: AnnouncedResponse
    campaign: AnnouncedCampaign
    recipient: AnnouncedRecipient | None


class PreviousAnswer(Reply):
    score: int
    band: Band


class ChangedResponseData(ResponseData):
    previous: PreviousAnswer = Field(description="What it said before this change.")


class DeletedResponse(Reply):
    id: ResponseId
    campaign_id: CampaignId
    deleted: Literal[True]
    revision: int


class DeletedResponseData(Reply):
    response: DeletedResponse


class RedactedResponse(Reply):
    id: ResponseId
    campaign_id: CampaignId
    score: int
    band: Band
    revision: int


class AnnouncedFollowUp(Reply):
    state: FollowUpState
    owner: str | None
    changed_by: str
    changed_at: Instant
    revision: int


class FollowUpData(Reply):
    follow_up: AnnouncedFollowUp
    response: RedactedResponse


class CampaignData(Reply):
    campaign: Campaign


class RecipientData(Reply):
    recipient: RecipientReply


class DeletedRecipient(Reply):
    id: RecipientId
    deleted: Literal[True]
    revision: int


class DeletedRecipientData(Reply):
    recipient: DeletedRecipient


class ImportData(Reply):
    of: ImportReply = Field(alias="import")


class AnnouncedEndpoint(Reply):
    """Without its URL: others may listen, and many URLs carry a token."""

    id: EndpointId
    description: str | None


class EndpointData(Reply):
    endpoint: AnnouncedEndpoint
    is_check: bool = Field(default=False, description="True where a connector only asks whether it would be let in.")


class DisabledEndpoint(AnnouncedEndpoint):
    disabled_at: Instant
    disabled_reason: DisabledReason


class DisabledEndpointData(Reply):
    endpoint: DisabledEndpoint


class FailingEndpoint(AnnouncedEndpoint):
    failing_since: Instant
    failures: int = Field(description="In a row.")
    last_failure: Failure
    disabled_from: Instant = Field(description="Unless something arrives before then, it will be disabled.")


class FailingEndpointData(Reply):
    endpoint: FailingEndpoint


class ExhaustedDelivery(Reply):
    id: DeliveryId
    event_id: EventId
    event_type: str
    attempt_count: int
    last_status: int | None
    last_failure: Failure


class ExhaustedDeliveryData(Reply):
    delivery: ExhaustedDelivery
    endpoint: AnnouncedEndpoint


class RedactedRecipient(Reply):
    id: RecipientId


class RedactedData(Reply):
    """What is left of an event when its person was erased, or its response deleted, before it was sent or read."""

    redacted: Literal[True]
    recipient: RedactedRecipient | None = Field(None, description="Who was erased.")
    response: RedactedResponse | None = Field(None, description="In events about responses.")


# Each type with what happened and its `data`.
_EVENTS: Mapping[EventType, tuple[str, Any]] = {
    EventType.RESPONSE_CREATED: ("A response was recorded", ResponseData),
    EventType.RESPONSE_UPDATED: ("A response was amended, within its band", ChangedResponseData),
    EventType.RESPONSE_BAND_CHANGED: ("A response was amended and moved to another band", ChangedResponseData),
    EventType.RESPONSE_EXCLUDED: ("A response no longer counts", ChangedResponseData),
    EventType.RESPONSE_RESTORED: ("An excluded response counts again", ChangedResponseData),
    EventType.RESPONSE_DELETED: ("A response was deleted for good", DeletedResponseData),
    EventType.RESPONSE_IMPORTED: ("An old response was recorded, which is no news", ResponseData),
    EventType.CAMPAIGN_CREATED: ("A campaign was created", CampaignData),
    EventType.CAMPAIGN_UPDATED: ("A campaign was edited, or has started by itself", CampaignData),
    EventType.CAMPAIGN_LAUNCHED: ("A campaign was launched", CampaignData),
    EventType.CAMPAIGN_PAUSED: ("A campaign was paused", CampaignData),
    EventType.CAMPAIGN_RESUMED: ("A campaign was resumed", CampaignData),
    EventType.CAMPAIGN_COMPLETED: ("A campaign has ended", CampaignData),
    EventType.CAMPAIGN_ARCHIVED: ("A campaign was archived", CampaignData),
    EventType.RECIPIENT_CREATED: ("A recipient was created", RecipientData),
    EventType.RECIPIENT_UPDATED: ("A recipient was changed", RecipientData),
    EventType.RECIPIENT_UNSUBSCRIBED: ("A recipient does not want to be asked again", RecipientData),
    EventType.RECIPIENT_DELETED: ("A recipient was erased", DeletedRecipientData),
    EventType.RESPONSE_FOLLOWED_UP: ("Somebody took a response on, or is done with it", FollowUpData),
    EventType.IMPORT_COMPLETED: ("An import of recipients is done", ImportData),
    EventType.ENDPOINT_TEST: ("A test for one endpoint", EndpointData),
    EventType.ENDPOINT_FAILING: ("Nothing has arrived at an endpoint for a while", FailingEndpointData),
    EventType.ENDPOINT_DISABLED: ("An endpoint was disabled", DisabledEndpointData),
    EventType.DELIVERY_EXHAUSTED: ("A delivery was given up", ExhaustedDeliveryData),
}
_NEVER_REDACTED = (
    DeletedResponseData,
    CampaignData,
    DeletedRecipientData,
    ImportData,
    EndpointData,
    FailingEndpointData,
    DisabledEndpointData,
    ExhaustedDeliveryData,
)


def summary_of(event_type: EventType) -> str:
    return _EVENTS[event_type][0]


def payload_model(event_type: EventType) -> type[BaseModel]:
    """`response.band_changed` becomes `ResponseBandChangedEvent`."""
    name = "".join(word.capitalize() for word in event_type.replace(".", "_").split("_"))
    data = _EVENTS[event_type][1]
    told = data if data in _NEVER_REDACTED else data | RedactedData
    its_type: Any = Literal[event_type.value]
    return create_model(f"{name}Event", __base__=EventEnvelope, type=(its_type, ...), data=(told, ...))


PAYLOADS: Mapping[EventType, type[BaseModel]] = {event_type: payload_model(event_type) for event_type in _EVENTS}
ALIASES_OF = {
    EventType.RESPONSE_CREATED: sorted(BAND_ALIASES),
    EventType.RESPONSE_BAND_CHANGED: sorted(BAND_ALIASES),
}
