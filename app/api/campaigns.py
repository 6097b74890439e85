"""Campaigns: what is asked, and in which phase of its life the asking is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from app.api.campaign_models import Campaign, CampaignCreate, CampaignEdit, StartedCampaign, SurveyVersion
from app.api.campaign_preview_models import EditedCampaign, SavedCampaign
from app.api.dependencies import CampaignReader, CampaignWriter, Now, ReadTx, ServicesOf, Tx
from app.api.idempotency import Idempotency
from app.api.pagination import AnyOrder, NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, Listing
from app.config import Settings
from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.audience.audience import FilterInvalid
from app.domain.campaign import (
    CampaignEndsBeforeStart,
    CampaignFieldFixed,
    CampaignKind,
    CampaignMove,
    CampaignMoveRefused,
    CampaignNotFound,
    CampaignState,
)
from app.domain.mail.dead_links import DEAD_LINKS, LinksLeadNowhere
from app.domain.scores.metric import MetricKey
from app.domain.survey.survey import SurveyChangeMissing, SurveyIncomplete, SurveyInvalid
from app.domain.survey.survey_templates import TemplateLanguageMissing, TemplateNotFound
from app.domain.webhooks.webhook_endpoint import UnknownCampaigns
from app.operations import campaigns as operations
from app.queries import campaigns as queries
from app.queries.api_keys import Caller
from app.queries.campaign_previews import preview_edit, preview_new_campaign, warnings_at_start

routes = router("campaigns")
PLACE = "/v1/campaigns/{campaign_id}"


@routes.post(
    "/v1/campaigns",
    status_code=201,
    summary="Create a campaign, as a draft",
    responses=refuses(
        CampaignEndsBeforeStart,
        SurveyInvalid,
        AskingInvalid,
        FilterInvalid,
        UnknownCampaigns,
        TemplateNotFound,
        TemplateLanguageMissing,
    ),
)
async def create_campaign(
    body: CampaignCreate, caller: CampaignWriter, once: Idempotency, tx: Tx, now: Now
) -> SavedCampaign:
    """`fallbacks` says how many of the audience have nothing to fill a merge field with."""
    fields, survey = body.columns(), body.read_survey()
    preview = await preview_new_campaign(tx, caller.workspace_id, survey=survey, asking=fields["asking"], now=now)
    campaign_id = once.id or once.keep(
        await operations.create_campaign(tx, caller.workspace_id, fields=fields, survey=survey, now=now)
    )
    return SavedCampaign.of(await queries.get_campaign(tx, caller.workspace_id, campaign_id), preview)


@routes.get("/v1/campaigns", response_model=Listing[Campaign], summary="List campaigns")
async def list_campaigns(
    caller: CampaignReader,
    tx: ReadTx,
    page: AnyOrder,
    request: Request,
    response: Response,
    state: CampaignState | None = None,
    kind: CampaignKind | None = None,
    metric: MetricKey | None = None,
) -> Mapping[str, Any]:
    wanted = queries.CampaignFilter(state, kind, metric)
    found = await queries.list_campaigns(tx, caller.workspace_id, wanted, page)
    return listing(request, response, found, [Campaign.model_validate(dict(row)) for row in found.rows])


@routes.get(PLACE, summary="Read a campaign", responses=refuses(CampaignNotFound))
async def get_campaign(campaign_id: CampaignId, caller: CampaignReader, tx: ReadTx) -> Campaign:
    return await _shown(tx, caller, campaign_id)


@routes.patch(
    PLACE,
    summary="Edit a campaign",
    responses=refuses(
        CampaignNotFound,
        CampaignFieldFixed,
        CampaignEndsBeforeStart,
        SurveyInvalid,
        SurveyIncomplete,
        SurveyChangeMissing,
        AskingInvalid,
        FilterInvalid,
        UnknownCampaigns,
    ),
)
async def update_campaign(
    campaign_id: CampaignId, body: CampaignEdit, caller: CampaignWriter, tx: Tx, now: Now
) -> EditedCampaign:
    """A draft's survey is edited in place. After the launch, another survey becomes a new version, and
    `survey_change` says what it is; answers keep the version they were given to. Another `asking` of a launched
    campaign is answered with its `plan` beside the one before."""
    fields, survey = body.columns(), body.survey.read() if body.survey else None
    preview = await preview_edit(tx, caller.workspace_id, campaign_id, survey=survey, fields=fields, now=now)
    await operations.edit_campaign(
        tx, caller.workspace_id, campaign_id,
        fields=fields, survey=survey, survey_change=body.survey_change, now=now,
    )  # fmt: skip
    return EditedCampaign.of(await queries.get_campaign(tx, caller.workspace_id, campaign_id), preview)


@routes.post(
    f"{PLACE}/launch",
    summary="Launch a draft",
    responses=refuses(CampaignNotFound, CampaignMoveRefused, SurveyIncomplete, AskingInvalid, LinksLeadNowhere),
)
async def launch_campaign(
    campaign_id: CampaignId, caller: CampaignWriter, tx: Tx, now: Now, services: ServicesOf
) -> StartedCampaign:
    """It runs at once, or is scheduled where `starts_at` lies ahead."""
    await _check_links(tx, caller, campaign_id, services.settings)
    return await _started(tx, caller, campaign_id, CampaignMove.LAUNCH, now)


@routes.post(f"{PLACE}/pause", summary="Pause the asking", responses=refuses(CampaignNotFound, CampaignMoveRefused))
async def pause_campaign(campaign_id: CampaignId, caller: CampaignWriter, tx: Tx, now: Now) -> Campaign:
    """Answers are still taken. A paused campaign stays paused, also past its end, until somebody moves it."""
    return await _moved(tx, caller, campaign_id, CampaignMove.PAUSE, now)


@routes.post(
    f"{PLACE}/resume",
    summary="Resume a paused campaign",
    responses=refuses(CampaignNotFound, CampaignMoveRefused, LinksLeadNowhere),
)
async def resume_campaign(
    campaign_id: CampaignId, caller: CampaignWriter, tx: Tx, now: Now, services: ServicesOf
) -> StartedCampaign:
    await _check_links(tx, caller, campaign_id, services.settings)
    return await _started(tx, caller, campaign_id, CampaignMove.RESUME, now)


@routes.post(
    f"{PLACE}/complete", summary="End the asking for good", responses=refuses(CampaignNotFound, CampaignMoveRefused)
)
async def complete_campaign(campaign_id: CampaignId, caller: CampaignWriter, tx: Tx, now: Now) -> Campaign:
    """Answers are still taken."""
    return await _moved(tx, caller, campaign_id, CampaignMove.COMPLETE, now)


@routes.post(f"{PLACE}/archive", summary="Archive a campaign", responses=refuses(CampaignNotFound, CampaignMoveRefused))
async def archive_campaign(campaign_id: CampaignId, caller: CampaignWriter, tx: Tx, now: Now) -> Campaign:
    """Its answers and scores stay; it takes no more, and cannot be edited."""
    return await _moved(tx, caller, campaign_id, CampaignMove.ARCHIVE, now)


@routes.get(
    f"{PLACE}/survey-versions",
    response_model=Listing[SurveyVersion],
    summary="Read what a campaign has asked over time",
    responses=refuses(CampaignNotFound),
)
async def list_survey_versions(
    campaign_id: CampaignId,
    caller: CampaignReader,
    tx: ReadTx,
    page: NewestFirst,
    request: Request,
    response: Response,
) -> Mapping[str, Any]:
    found = await queries.list_survey_versions(tx, caller.workspace_id, campaign_id, page)
    versions = [SurveyVersion.model_validate({**row, "survey": row["content"]}) for row in found.rows]
    return listing(request, response, found, versions)


async def _moved(tx: Tx, caller: Caller, campaign_id: UUID, move: CampaignMove, now: Now) -> Campaign:
    await operations.move_campaign(tx, caller.workspace_id, campaign_id, move, now=now)
    return await _shown(tx, caller, campaign_id)


async def _check_links(tx: Tx, caller: Caller, campaign_id: UUID, settings: Settings) -> None:
    row = await queries.get_campaign(tx, caller.workspace_id, campaign_id)
    if row["asking"] is not None and caller.livemode and settings.has_dead_links:
        raise LinksLeadNowhere(DEAD_LINKS)


async def _started(tx: Tx, caller: Caller, campaign_id: UUID, move: CampaignMove, now: Now) -> StartedCampaign:
    await operations.move_campaign(tx, caller.workspace_id, campaign_id, move, now=now)
    warnings = await warnings_at_start(tx, caller.workspace_id, campaign_id, now=now)
    row = await queries.get_campaign(tx, caller.workspace_id, campaign_id)
    return StartedCampaign.model_validate({**row, "warnings": warnings})


async def _shown(tx: Tx | ReadTx, caller: Caller, campaign_id: UUID) -> Campaign:
    return Campaign.model_validate(await queries.get_campaign(tx, caller.workspace_id, campaign_id))
