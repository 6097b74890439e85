"""Whom a filter fits, before anybody is asked."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from app.api.audience_models import AudiencePreview, PreviewedAudience, RecipientQuery
from app.api.dependencies import Now, ReadTx, RecipientReader
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.recipient_models import RecipientReply
from app.api.routing import router
from app.api.schemas import Listing
from app.domain.audience.audience import FilterInvalid, FilterTooSlow
from app.domain.audience.audience_json import read_filter
from app.domain.audience.audience_selection import Restraint
from app.domain.campaign import CampaignNotFound
from app.domain.webhooks.webhook_endpoint import UnknownCampaigns
from app.queries import audiences as queries
from app.queries import recipients
from app.queries.patience import at_most

routes = router("recipients")


@routes.post(
    "/v1/recipients/query",
    response_model=Listing[RecipientReply],
    summary="List the recipients that a filter fits",
    responses=refuses(FilterInvalid, FilterTooSlow, UnknownCampaigns),
)
async def query_recipients(
    body: RecipientQuery,
    caller: RecipientReader,
    tx: ReadTx,
    now: Now,
    page: NewestFirst,
    request: Request,
    response: Response,
) -> Mapping[str, Any]:
    """Newest first, whether they can be asked or not. Send the same filter with each cursor."""
    filter_ = read_filter(body.filter)
    async with at_most(tx, queries.LONGEST_PREVIEW_SECONDS):
        found = await recipients.query_recipients(tx, caller.workspace_id, filter_, page, now=now)
    return listing(request, response, found, [RecipientReply.of(row) for row in found.rows])


@routes.post(
    "/v1/audiences/preview",
    summary="Count whom a filter fits",
    responses=refuses(CampaignNotFound, FilterInvalid, FilterTooSlow, UnknownCampaigns),
)
async def preview_audience(body: AudiencePreview, caller: RecipientReader, tx: ReadTx, now: Now) -> PreviewedAudience:
    """As if they were asked by e-mail now. Quarantine is not looked at: it is decided when an invitation is due."""
    filter_ = None if body.filter is None else read_filter(body.filter)
    restraint = Restraint(
        body.exclude_newer_than_days, body.most_per_account, body.hold_renewal_within_days, body.hold_open_follow_up
    )
    found = await queries.preview_audience(
        tx, caller.workspace_id, filter_, campaign_id=body.campaign_id, restraint=restraint, now=now
    )
    return PreviewedAudience.of(found)
