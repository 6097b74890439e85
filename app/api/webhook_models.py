"""What webhook endpoints and their secrets look like on the way in and on the way out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.api.endpoint_health import EndpointHealth
from app.api.schemas import (
    AuthorizationId,
    CampaignId,
    EndpointId,
    EventId,
    Flag,
    Instant,
    Line,
    ReplayId,
    Reply,
    Request,
    SecretId,
    Whole,
    absent,
)
from app.api.webhook_filters import Bands, CampaignIds, EventTypes, HasComment, RawScore, RecipientProperties
from app.api.webhook_options import (
    NO_TEMPLATE,
    DelaySeconds,
    DelightedKey,
    HeaderChanges,
    Headers,
    Payload,
    RateLimit,
    Settings,
    Template,
    Url,
)
from app.domain.connectors.authorization import AuthorizationUnusable
from app.domain.connectors.catalogue import EndpointKind
from app.domain.connectors.settings import ConnectorSettingsUnusable
from app.domain.scores.metric import Band
from app.domain.webhooks.payload import PayloadKind
from app.domain.webhooks.payload_template import TemplateRefused
from app.domain.webhooks.receiver_url import UnusableURL
from app.domain.webhooks.sealed_options import HeaderRefused
from app.domain.webhooks.webhook_endpoint import (
    LONGEST_OVERLAP,
    USUAL_OVERLAP,
    DisabledReason,
    EndpointState,
    NotForConnectors,
    ScoreRangeEmpty,
    Signing,
    UnknownCampaigns,
    signing_of,
)

AUTHORIZATION = "Of a connector: one that was granted, with the settings that it was asked with. Good for one endpoint."
REFUSED_ENDPOINTS = (
    AuthorizationUnusable,
    UnusableURL,
    ScoreRangeEmpty,
    UnknownCampaigns,
    HeaderRefused,
    TemplateRefused,
    ConnectorSettingsUnusable,
    NotForConnectors,
)


class WebhookEndpointCreate(Request):
    kind: EndpointKind = Field(
        EndpointKind.WEBHOOK, description="`webhook`: events as they are, signed. Others: a connector to that service."
    )
    url: Url = absent()
    settings: Settings = Field(default_factory=dict)
    authorization_id: AuthorizationId | None = Field(None, description=AUTHORIZATION)
    description: Line | None = None
    event_types: EventTypes = Field(default_factory=list)
    campaign_ids: CampaignIds = Field(default_factory=list)
    bands: Bands = Field(default_factory=list)
    lowest_score: RawScore | None = None
    highest_score: RawScore | None = None
    recipient_properties: RecipientProperties = Field(default_factory=dict)
    has_comment: HasComment = None
    payload: Payload = PayloadKind.FULL
    template: Template | None = None
    headers: Headers = Field(default_factory=dict)
    delighted_key: DelightedKey | None = None
    delay_seconds: DelaySeconds = absent()
    rate_limit_per_second: RateLimit | None = None
    signing: Signing = Field(Signing.SHARED, description="`ed25519`: we keep a private key, you get the public one.")

    def columns(self) -> dict[str, Any]:
        named = set(WebhookEndpointCreate.model_fields) - {"signing", "settings", "authorization_id"}
        return _columns({name: getattr(self, name) for name in named})


class WebhookEndpointEdit(Request):
    """What is left out stays; null clears."""

    url: Url = absent()
    settings: Settings = absent()
    authorization_id: AuthorizationId | None = Field(None, description=AUTHORIZATION)
    description: Line | None = None
    event_types: EventTypes = absent()
    campaign_ids: CampaignIds = absent()
    bands: Bands = absent()
    lowest_score: RawScore | None = None
    highest_score: RawScore | None = None
    recipient_properties: RecipientProperties = absent()
    has_comment: HasComment = None
    payload: Payload = absent()
    template: Template | None = None
    headers: HeaderChanges | None = None
    delighted_key: DelightedKey | None = None
    delay_seconds: DelaySeconds = absent()
    rate_limit_per_second: RateLimit | None = None

    def columns(self) -> dict[str, Any]:
        return _columns({name: getattr(self, name) for name in self.model_fields_set})


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """As they are inside, where an id is a UUID. Lists of names are sets to us: in their own order, each once."""
    insides: dict[str, Any] = {name: sorted(set(value)) for name, value in fields.items() if isinstance(value, list)}
    if "template" in fields:
        template: Template | None = fields["template"]
        insides |= template.columns() if template else NO_TEMPLATE
    return fields | insides


class WebhookSecret(Reply):
    """One that signs at the moment. Secrets are shown once, when they are made."""

    id: SecretId
    signing: Signing
    hint: str | None = Field(description="The end of a shared secret, to tell it apart.", examples=["whsec_…kQ3f"])
    public_key: str | None = Field(description="What checks ed25519 signatures.", examples=["whpk_…"])
    created_at: Instant
    expires_at: Instant | None = Field(description="The end of its overlap after a rotation.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "WebhookSecret":
        signing, hint = signing_of(row["hint"]), row["hint"]
        is_shared = signing is Signing.SHARED
        return cls(
            id=row["id"],
            signing=signing,
            hint=f"whsec_…{hint}" if is_shared else None,
            public_key=None if is_shared else hint,
            created_at=row["created_at"],
            expires_at=row["expires_at"],
        )


class WebhookEndpoint(Reply):
    id: EndpointId
    kind: EndpointKind
    url: str = Field(description="Of a connector: only the host it sends to.")
    settings: dict[str, Any] = Field(description="Of a connector, without what is secret.")
    description: str | None
    event_types: list[str]
    campaign_ids: list[CampaignId]
    bands: list[Band]
    lowest_score: int | None
    highest_score: int | None
    recipient_properties: dict[str, list[Any]] = Field(examples=[{"plan": ["pro", "team"]}])
    has_comment: bool | None
    payload: PayloadKind
    template: Template | None
    headers: dict[str, str] = Field(
        description="Each with the end of its value, if that is long.", examples=[{"authorization": "…9f2c"}]
    )
    delighted_key: str | None = Field(description="Its end.", examples=["…9f2c"])
    delay_seconds: int
    rate_limit_per_second: int | None
    state: EndpointState
    disabled_at: Instant | None
    disabled_reason: DisabledReason | None
    health: EndpointHealth
    secrets: list[WebhookSecret] = Field(description="All that sign at the moment, newest first.")
    created_at: Instant
    updated_at: Instant
    revision: int

    @classmethod
    def fields_of(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        state = EndpointState.DISABLED if row["disabled_at"] else EndpointState.ENABLED
        own = {name: row[name] for name in WebhookEndpoint.model_fields if name in row}
        template = {"source": row["template"], "content_type": row["template_content_type"]}
        masked = {"headers": row["header_hints"], "delighted_key": row["delighted_key_hint"]}
        own["template"] = template if row["template"] is not None else None
        return {**own, **masked, "state": state, "secrets": [WebhookSecret.of(secret) for secret in row["secrets"]]}


class NewWebhookEndpoint(WebhookEndpoint):
    secret: str | None = Field(
        description="Checks our signatures. Shown this once; null for ed25519, for connectors and in the reply to a "
        "repeated call.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhookEndpointEnable(Request):
    deliver_missed: Flag = Field(
        default=False,
        description="Also deliver the events it would have got while it was disabled, and those that failed since it "
        "last answered well.",
    )


class EnabledWebhookEndpoint(WebhookEndpoint):
    was_enabled: bool = Field(description="It was enabled already: nothing changed, and nothing missed is delivered.")
    replay_id: ReplayId | None = Field(description="The replay that delivers what it missed, if you asked for that.")

    @classmethod
    def now(cls, row: Mapping[str, Any], *, was_enabled: bool, replay_id: UUID | None) -> "EnabledWebhookEndpoint":
        return cls(**WebhookEndpoint.fields_of(row), was_enabled=was_enabled, replay_id=replay_id)


class SecretRotation(Request):
    overlap_seconds: Annotated[Whole, Field(ge=0, le=LONGEST_OVERLAP.total_seconds())] = Field(
        int(USUAL_OVERLAP.total_seconds()), description="How long the secrets in use go on signing beside the new one."
    )
    signing: Signing | None = Field(None, description="As the newest secret signs, if left out.")

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)


class NewWebhookSecret(WebhookSecret):
    secret: str | None = Field(description="Shown this once; null for ed25519 and in the reply to a repeated call.")

    @classmethod
    def made(cls, row: Mapping[str, Any], *, secret: str | None) -> "NewWebhookSecret":
        return cls(**WebhookSecret.of(row).model_dump(), secret=secret)


class TestSend(Reply):
    """On its way. The attempt shows among the endpoint's deliveries, under this event."""

    event_id: EventId
    endpoint_id: EndpointId


def endpoint_of(row: Mapping[str, Any]) -> WebhookEndpoint:
    return WebhookEndpoint(**WebhookEndpoint.fields_of(row))


def new_endpoint_of(row: Mapping[str, Any], *, secret: str | None) -> NewWebhookEndpoint:
    return NewWebhookEndpoint(**WebhookEndpoint.fields_of(row), secret=secret)
