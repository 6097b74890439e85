"""Who is asked by a campaign, who was, who was not and why, and what planning it would come to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Query, Request, Response

from app.api.dependencies import CampaignReader, Now, ReadTx, RecipientReader
from app.api.invitation_models import Eligibility, Invitation, PlanChange, PlanRequest, Wave
from app.api.pagination import AnyOrder, NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, InvitationId, Listing, Name, RecipientId
from app.domain.asking.asking import Asking, CampaignAsksNobody
from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.eligibility import Reason, Send, Skip, Wait, decide, later_of
from app.domain.asking.invitation import AskingCampaign, InvitationNotFound, InvitationState
from app.domain.audience.audience import FilterInvalid, FilterTooSlow
from app.domain.campaign import CampaignNotFound
from app.domain.mail.campaign_sender import check_from_email
from app.domain.mail.sender import Sender
from app.domain.people.recipient import RecipientNotFound
from app.queries import invitations as queries
from app.queries.asking_campaigns import get_asking_campaign
from app.queries.audiences import LONGEST_PREVIEW_SECONDS
from app.queries.coming_turns import wait_for_turn
from app.queries.departures import wait_for_pace
from app.queries.dry_run import dry_run
from app.queries.eligibility import read_facts_before
from app.queries.open_waves import wave_taking_in
from app.queries.patience import at_most
from app.queries.planned_asks import why_outlived
from app.queries.recipients import get_recipient

routes = router("invitations")
CAMPAIGN = "/v1/campaigns/{campaign_id}"


async def _filter(
    state: InvitationState | None = None,
    skip_reason: Reason | None = None,
    wave: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    variant: Name | None = None,
    recipient_id: RecipientId | None = None,
) -> queries.InvitationFilter:
    return queries.InvitationFilter(state, skip_reason, wave, variant, recipient_id)


@routes.get(
    f"{CAMPAIGN}/invitations",
    response_model=Listing[Invitation],
    summary="List a campaign's invitations",
    responses=refuses(CampaignNotFound),
)
async def list_invitations(
    campaign_id: CampaignId,
    caller: CampaignReader,
    tx: ReadTx,
    page: AnyOrder,
    wanted: Annotated[queries.InvitationFilter, Depends(_filter)],
    request: Request,
    response: Response,
) -> Mapping[str, Any]:
    found = await queries.list_invitations(tx, caller.workspace_id, campaign_id, wanted, page)
    return listing(request, response, found, [Invitation.model_validate(dict(row)) for row in found.rows])


@routes.get("/v1/invitations/{invitation_id}", summary="Read an invitation", responses=refuses(InvitationNotFound))
async def get_invitation(invitation_id: InvitationId, caller: CampaignReader, tx: ReadTx) -> Invitation:
    return Invitation.model_validate(dict(await queries.get_invitation(tx, caller.workspace_id, invitation_id)))


@routes.get(
    f"{CAMPAIGN}/waves",
    response_model=Listing[Wave],
    summary="List a campaign's waves",
    responses=refuses(CampaignNotFound),
)
async def list_waves(
    campaign_id: CampaignId, caller: CampaignReader, tx: ReadTx, page: NewestFirst, request: Request, response: Response
) -> Mapping[str, Any]:
    found = await queries.list_waves(tx, caller.workspace_id, campaign_id, page)
    return listing(request, response, found, [Wave.model_validate(dict(row)) for row in found.rows])


@routes.post(
    f"{CAMPAIGN}/plan",
    summary="See what a campaign would do",
    responses=refuses(CampaignNotFound, CampaignAsksNobody, AskingInvalid, FilterInvalid, FilterTooSlow),
)
async def plan_campaign(
    campaign_id: CampaignId,
    caller: CampaignReader,
    tx: ReadTx,
    now: Now,
    body: Annotated[PlanRequest, Body(default_factory=PlanRequest)],
) -> PlanChange:
    """How many would be asked, when, and who would not be and why, were it planned now. With another `asking`,
    `before` is the plan by the campaign's own."""
    asking = Asking.from_json(body.asking.document()) if body.asking else None
    own = await get_asking_campaign(tx, caller.workspace_id, campaign_id)
    if asking is None and own is None:
        raise CampaignAsksNobody("This campaign asks nobody by itself: give it an `asking`, or send one.")
    place = caller.workspace_id, campaign_id
    other = None if asking is None else await get_asking_campaign(tx, *place, asking=asking)
    if other is not None:
        check_from_email(other.asking.email, Sender.of(other.sender))
    async with at_most(tx, LONGEST_PREVIEW_SECONDS):
        standing = None if own is None else await dry_run(tx, own, now=now)
        sent = None if other is None else await dry_run(tx, other, is_edit=True, now=now)
    return PlanChange.model_validate({"before": standing if sent else None, "after": sent or standing})


@routes.get(
    "/v1/recipients/{recipient_id}/eligibility",
    summary="Find out why somebody is not asked",
    responses=refuses(RecipientNotFound, CampaignNotFound, CampaignAsksNobody),
)
async def get_eligibility(
    recipient_id: RecipientId, campaign_id: CampaignId, caller: RecipientReader, tx: ReadTx, now: Now
) -> Eligibility:
    """Decided by the same rule that decides when a mail is due."""
    person = await get_recipient(tx, caller.workspace_id, recipient_id)
    campaign = await get_asking_campaign(tx, caller.workspace_id, campaign_id)
    if campaign is None:
        raise CampaignAsksNobody("This campaign asks nobody by itself.")
    found = await queries.latest_invitation(tx, caller.workspace_id, campaign_id, recipient_id)
    latest = dict(found) if found else None
    decided = await _decided(tx, campaign, recipient_id, latest, now=now)
    return Eligibility.model_validate(
        {
            "campaign_id": campaign_id,
            "recipient_id": recipient_id,
            "asked_at": person["asked_at"],
            "invitation": latest,
            **decided,
        }
    )


async def _decided(
    tx: ReadTx, campaign: AskingCampaign, recipient_id: UUID, latest: Mapping[str, Any] | None, *, now: Now
) -> Mapping[str, Any]:
    """Of the invitation they have and were not sent yet, or else of one that would be made now."""
    is_planned = latest is not None and latest["state"] == InvitationState.PLANNED
    wave = latest["wave"] if latest is not None and is_planned else await wave_taking_in(tx, campaign, now=now)
    facts = await read_facts_before(tx, campaign, [recipient_id], wave=wave, now=now)
    wanted = facts.wanted[recipient_id]
    if latest is not None and is_planned:
        wanted = replace(wanted, latest_at=latest["latest_at"], planned_at=latest["created_at"])
    decision = decide(facts.people[recipient_id], wanted, facts.rules[recipient_id], now)
    if latest is not None and is_planned and not isinstance(decision, Skip):
        outlived = await why_outlived(tx, campaign, latest["id"])
        decision = decision if outlived is None else Skip(outlived)
    if not is_planned and not isinstance(decision, Skip):
        turn = await wait_for_turn(tx, campaign, recipient_id, zone=facts.people[recipient_id].zone, now=now)
        decision = later_of(decision, turn)
    elif latest is not None and isinstance(decision, Send):
        decision = await wait_for_pace(tx, campaign, latest["id"], now=now) or decision
    if isinstance(decision, Send):
        return {"decision": "send", "reason": None, "until": None}
    if isinstance(decision, Wait):
        return {"decision": "wait", "reason": decision.reason, "until": decision.until}
    return {"decision": "skip", "reason": decision.reason, "until": None}
