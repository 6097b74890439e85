"""One ask of one person, from being planned to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.asking.asking import Asking
from app.domain.asking.blackouts import Blackouts
from app.domain.errors import NotFound
from app.domain.scores.metric import MetricKey
from app.domain.survey.survey import Survey


class InvitationNotFound(NotFound):
    """There is no such invitation."""

    code = "invitation_not_found"


class InvitationState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    ANSWERED = "answered"
    EXPIRED = "expired"
    SKIPPED = "skipped"  # for its `skip_reason`
    RELEASED = "released"  # no longer wanted: enough is known, or the campaign is over
    UNKNOWN = "unknown"  # the sender died; perhaps it was sent
    FAILED = "failed"


class MessageKind(StrEnum):
    FIRST = "first"
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True)
class AskingCampaign:
    """What all mails of a campaign have in common. `livemode` is False in test workspaces, which mail nobody."""

    workspace_id: UUID
    workspace_name: str
    livemode: bool
    zone: ZoneInfo
    quarantine_days: int
    brand: Mapping[str, Any]
    sender: Mapping[str, Any]
    id: UUID
    name: str
    state: str
    metric: MetricKey
    is_anonymous: bool
    one_answer_each: bool
    survey_version: int
    survey: Survey
    asking: Asking
    anchor: datetime  # from which waves are counted
    ends_at: datetime | None = None  # from then on it asks nobody

    def in_time(self, latest_at: datetime | None) -> datetime | None:
        """The earlier of that and its end."""
        return min((at for at in (latest_at, self.ends_at) if at is not None), default=None)

    def as_if_running(self, now: datetime) -> Self:
        """A draft as if it were launched now."""
        anchor = max(self.anchor, now) if self.state == "draft" else self.anchor
        return replace(self, state="running", anchor=anchor)


@dataclass(frozen=True, slots=True)
class Addressee:
    id: UUID
    email: str
    name: str | None = None
    locale: str | None = None
    account_name: str | None = None
    account_owner: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)  # under those of the touchpoint


@dataclass(frozen=True, slots=True)
class ClaimedInvitation:
    """A mail that is to be sent now, by whoever holds the claim and by nobody else."""

    campaign: AskingCampaign
    addressee: Addressee
    id: UUID
    claim_id: UUID
    message_id: UUID
    kind: MessageKind
    variant: str | None
    asked_at: datetime
    claimed_on: date  # the day of the campaign that it counts as one of
    reminder_count: int  # this one included
    token: str = field(repr=False)
    unsubscribe_token: str = field(repr=False)
    blackouts: Blackouts = ()  # those in which the clocks of this one stand still
    leaves_before: datetime | None = None  # when the window closes that was open when it was claimed
