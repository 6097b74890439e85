"""Whom a filter fits, before anybody is asked."""

from app.api.audience_models import AudiencePreview, PreviewedAudience
from app.api.dependencies import Now, ReadTx, RecipientReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.domain.audience import FilterInvalid, FilterTooSlow
from app.domain.audience_json import read_filter
from app.domain.audience_selection import Restraint
from app.domain.campaign import CampaignNotFound
from app.domain.webhook_endpoint import UnknownCampaigns
from app.queries import audiences as queries

routes = router("recipients")


@routes.post(
    "/v1/audiences/preview",
    summary="Count whom a filter fits",
    responses=refuses(CampaignNotFound, FilterInvalid, FilterTooSlow, UnknownCampaigns),
)
async def preview_audience(body: AudiencePreview, caller: RecipientReader, tx: ReadTx, now: Now) -> PreviewedAudience:
    """As if they were asked by e-mail now. Quarantine is not looked at: it is decided when an invitation is due."""
    filter_ = None if body.filter is None else read_filter(body.filter)
    restraint = Restraint(body.exclude_newer_than_days, body.most_per_account, body.hold_renewal_within_days)
    found = await queries.preview_audience(
        tx, caller.workspace_id, filter_, campaign_id=body.campaign_id, restraint=restraint, now=now
    )
    return PreviewedAudience.of(found)
