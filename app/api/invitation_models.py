"""What invitations, waves and plans look like from outside."""

from datetime import date
from typing import Literal

from pydantic import Field

from app.api.asking_models import AskingInput
from app.api.schemas import CampaignId, Instant, InvitationId, RecipientId, Reply, Request, ResponseId, TouchpointId
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import InvitationState
from app.domain.asking.plan import WarningCode


class Invitation(Reply):
    id: InvitationId
    campaign_id: CampaignId
    recipient_id: RecipientId
    wave: int = Field(description="0: outside any wave.")
    touchpoint_id: TouchpointId | None
    channel: Literal["email", "link"]
    state: InvitationState
    skip_reason: Reason | None
    variant: str | None
    survey_version: int
    due_at: Instant | None = Field(description="When the next mail is due; null: none is, or it is not scheduled yet.")
    latest_at: Instant | None = Field(description="Not sent by then, it is skipped.")
    asked_at: Instant | None
    reminder_count: int
    expires_at: Instant | None
    delivered_at: Instant | None
    page_opened_at: Instant | None
    answered_at: Instant | None
    bounced_at: Instant | None
    complained_at: Instant | None
    unsubscribed_at: Instant | None
    response_id: ResponseId | None = Field(description="It may have been deleted since.")
    created_at: Instant
    revision: int = Field(description="Counts changes: of two copies, the higher is the later.")


class Wave(Reply):
    number: int
    state: Literal["selecting", "open", "closed"]
    starts_at: Instant
    ends_at: Instant = Field(description="Whoever is not free by then is skipped.")
    audience_count: int | None = Field(description="Who fitted when it was planned.")
    selected_count: int | None = Field(description="Whom restraints and sample left in.")
    closed_at: Instant | None


class Eligibility(Reply):
    campaign_id: CampaignId
    recipient_id: RecipientId
    decision: Literal["send", "wait", "skip"] = Field(description="Were they to be asked now.")
    reason: Reason | None
    until: Instant | None = Field(
        description="Of `wait`: when it would be decided anew; of `pace`, in about which hour they have their turn."
    )
    asked_at: Instant | None = Field(description="When they were last asked, by whichever campaign.")
    invitation: Invitation | None = Field(description="Their latest of this campaign.")


class PlanRequest(Request):
    asking: AskingInput | None = Field(None, description="Instead of the campaign's own, to see what it would change.")


class PlannedHour(Reply):
    day: date = Field(description="By the workspace's clock, like the hour.")
    hour: int
    count: int


class ExpectedDay(Reply):
    day: date = Field(description="By the workspace's clock.")
    count: int


class SendingWarning(Reply):
    code: WarningCode
    domain: str | None
    text: str


class Plan(Reply):
    """What would happen if it were planned now. Nothing is."""

    matched: int = Field(description="Whom the audience fits.")
    selected: int = Field(
        description="Who is left by restraints and sample; while a wave is open, whom that has still to ask."
    )
    left_out: int = Field(description="By the sample; they come first the next time.")
    excluded: dict[str, int] = Field(description="Of the audience, by what holds them back.")
    due: int = Field(description="Who would be asked.")
    waiting: dict[str, int] = Field(description="Of these, who would have to wait first, and why.")
    skipped: dict[str, int] = Field(description="Of those selected, who would never be asked, and why.")
    hours: list[PlannedHour] = Field(description="When the mails are due, without caps per hour and warm-up.")
    days: list[ExpectedDay] = Field(
        description="When about they would leave, as `pace` and `window` let them. Of everybody selected: where not all"
        " were looked at, the others are taken to be like those."
    )
    last_at: Instant | None = Field(description="About when the last of them leaves, to the hour.")
    late: int = Field(description="How many `pace` would not let out before it is too late for them.")
    days_of_warm_up: int | None = Field(description="Days that a warm-up needs for so many.")
    is_complete: bool = Field(description="False: so large that only the first people were looked at.")
    warnings: list[SendingWarning] = Field(description="What had better be seen to before mails leave.")


class PlanChange(Reply):
    """What a campaign would do by one `asking`, and by another."""

    before: Plan | None = Field(description="By its own `asking`; null where it has none, or no other is looked at.")
    after: Plan | None = Field(description="By what was sent or saved; null where that asks nobody.")
