"""What saving a campaign would come to, looked at before anything is written, so that nobody waits for it.

Every look at the people is given up after some seconds: whoever saves is told so, and may ask again at leisure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.domain.asking.asking import Asking
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.plan import Plan, SendingWarning
from app.domain.asking.rare_asks import warnings_about_rhythm
from app.domain.audience.audience import FilterTooSlow
from app.domain.campaign import CampaignState
from app.domain.survey.merge_fields import fields_in
from app.domain.survey.survey import Survey, fields_used
from app.queries.asking_campaigns import get_asking_campaign
from app.queries.campaigns import get_campaign
from app.queries.dry_run import dry_run, warnings_before
from app.queries.merge_fields import count_fallbacks
from app.queries.patience import trying

LONGEST_LOOK_SECONDS = 2.0  # at everybody, by one statement
MOST_LOOKED_AT = 2_000  # people of each plan: a tenth of a second of Python
ASKING = frozenset({CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED})


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """For how many of so many people the words of a fall-back would stand, by merge field."""

    audience_count: int | None = None  # where no text has a merge field
    counts: Mapping[str, int] = field(default_factory=dict)
    is_in_time: bool = True


@dataclass(frozen=True, slots=True)
class PlanChange:
    """Before an edit, and after it; None: nobody is asked."""

    before: Plan | None = None
    after: Plan | None = None
    is_in_time: bool = True


@dataclass(frozen=True, slots=True)
class CampaignPreview:
    """None: it is not about what was saved."""

    fallbacks: Fallbacks | None = None
    plan: PlanChange | None = None


async def preview_new_campaign(
    tx: ReadTx | Tx, workspace_id: UUID, *, survey: Survey, asking: Mapping[str, Any] | None, now: datetime
) -> CampaignPreview:
    """Of a campaign to be created. Raises AskingInvalid, FilterInvalid."""
    read = None if asking is None else Asking.from_json(asking)
    return CampaignPreview(await _fallbacks(tx, workspace_id, None, survey, read, now=now))


async def preview_edit(
    tx: ReadTx | Tx,
    workspace_id: UUID,
    campaign_id: UUID,
    *,
    survey: Survey | None,
    fields: Mapping[str, Any],
    now: datetime,
) -> CampaignPreview:
    """`survey` and `fields` as `edit_campaign` takes them. Raises CampaignNotFound, AskingInvalid, FilterInvalid."""
    standing = await get_campaign(tx, workspace_id, campaign_id)
    said = fields.get("asking", standing["asking"])
    asking = None if said is None else Asking.from_json(said)
    is_replanned = (asking and asking.to_json()) != standing["asking"]
    is_rewritten = survey is not None and survey.to_json() != standing["survey"]
    if not is_replanned and not is_rewritten:
        return CampaignPreview()
    new = survey or Survey.from_json(standing["survey"])
    fallbacks = await _fallbacks(tx, workspace_id, campaign_id, new, asking, now=now)
    is_asking = is_replanned and standing["state"] in ASKING
    plan = await _plan_change(tx, workspace_id, campaign_id, asking, now=now) if is_asking else None
    return CampaignPreview(fallbacks, plan)


async def warnings_at_start(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, *, now: datetime
) -> Sequence[SendingWarning]:
    """None about domains where nobody can be counted in time: what must not leave is held all the same, when it is
    planned."""
    campaign = await get_asking_campaign(tx, workspace_id, campaign_id)
    if campaign is None:
        return ()
    warnings = [*warnings_about_rhythm(campaign.asking, quarantine_days=campaign.quarantine_days)]
    try:
        async with trying(tx, LONGEST_LOOK_SECONDS):
            return [*warnings, *await warnings_before(tx, campaign, now=now)]
    except FilterTooSlow:
        return warnings


async def _fallbacks(
    tx: ReadTx | Tx,
    workspace_id: UUID,
    campaign_id: UUID | None,
    survey: Survey,
    asking: Asking | None,
    *,
    now: datetime,
) -> Fallbacks:
    fields = fields_used(survey) | fields_in(asking.texts if asking else ())
    if not fields:
        return Fallbacks()
    saved = {"workspace_id": workspace_id, "id": campaign_id, "asking": asking and asking.to_json()}
    try:
        async with trying(tx, LONGEST_LOOK_SECONDS):
            return Fallbacks(*await count_fallbacks(tx, saved, fields, now=now))
    except FilterTooSlow:
        return Fallbacks(is_in_time=False)


async def _plan_change(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, asking: Asking | None, *, now: datetime
) -> PlanChange:
    own = await get_asking_campaign(tx, workspace_id, campaign_id)
    other = None if asking is None else await get_asking_campaign(tx, workspace_id, campaign_id, asking=asking)
    try:
        async with trying(tx, LONGEST_LOOK_SECONDS):
            return PlanChange(await _plan(tx, own, now=now), await _plan(tx, other, is_edit=True, now=now))
    except FilterTooSlow:
        return PlanChange(is_in_time=False)


async def _plan(
    tx: ReadTx | Tx, campaign: AskingCampaign | None, *, is_edit: bool = False, now: datetime
) -> Plan | None:
    return None if campaign is None else await dry_run(tx, campaign, is_edit=is_edit, most=MOST_LOOKED_AT, now=now)
