"""What a survey still lacks, and whom its merge fields would leave with a fall-back."""

from pydantic import Field

from app.api.campaign_preview_models import MergeFieldCheck
from app.api.dependencies import CampaignReader, Now, ReadTx
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, Reply
from app.domain.asking.asking import Asking
from app.domain.audience.audience import FilterTooSlow
from app.domain.campaign import CampaignNotFound
from app.domain.survey.merge_fields import fields_in
from app.domain.survey.survey import Survey, completeness, fields_used
from app.queries.audiences import LONGEST_PREVIEW_SECONDS
from app.queries.campaigns import get_campaign
from app.queries.merge_fields import count_fallbacks
from app.queries.patience import at_most

routes = router("campaigns")


class LanguageCheck(Reply):
    language: str
    is_complete: bool
    missing: list[str] = Field(
        description="Texts that the default language has, and questions wherever they are missing.",
        examples=[["follow_up.detractor", "questions.reason.options.price"]],
    )


class SurveyCheck(Reply):
    survey_version: int
    languages: list[LanguageCheck] = Field(
        examples=[[{"language": "de", "is_complete": False, "missing": ["follow_up.detractor"]}]]
    )
    audience_count: int = Field(description="Whom the campaign may ask: its filter and its list, if it has them.")
    merge_fields: list[MergeFieldCheck]


@routes.get(
    "/v1/campaigns/{campaign_id}/survey-check",
    summary="Check what a survey lacks, and for whom",
    responses=refuses(CampaignNotFound, FilterTooSlow),
)
async def check_campaign_survey(campaign_id: CampaignId, caller: CampaignReader, tx: ReadTx, now: Now) -> SurveyCheck:
    """Which texts are missing in which language, and how many people the words of a fall-back would stand for."""
    campaign = await get_campaign(tx, caller.workspace_id, campaign_id)
    survey = Survey.from_json(campaign["survey"])
    asking = campaign["asking"] and Asking.from_json(campaign["asking"])
    fields = fields_used(survey) | fields_in(asking.texts if asking else ())
    async with at_most(tx, LONGEST_PREVIEW_SECONDS):
        audience_count, fallbacks = await count_fallbacks(tx, campaign, fields, now=now)
    return SurveyCheck(
        survey_version=campaign["survey_version"],
        languages=[
            LanguageCheck(language=language, is_complete=found.is_complete, missing=list(found.missing))
            for language, found in completeness(survey).items()
        ],
        audience_count=audience_count,
        merge_fields=[MergeFieldCheck(field=field, fallback_count=count) for field, count in fallbacks.items()],
    )
