"""What saving a campaign answers: the campaign, and what it would come to."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field

from app.api.campaign_models import Campaign
from app.api.invitation_models import PlanChange
from app.api.schemas import Reply
from app.queries import campaign_previews as queries


class MergeFieldCheck(Reply):
    field: str = Field(examples=["property.plan"])
    fallback_count: int = Field(
        description="How many would read the fall-back. What somebody is asked about, such as an order, is not known"
        " before, so its properties count as missing."
    )


class Fallbacks(Reply):
    audience_count: int | None = Field(description="Whom the campaign may ask; null where no text has a merge field.")
    merge_fields: list[MergeFieldCheck] = Field(description="Those in the survey, the variants and the mail.")
    is_in_time: bool = Field(description="False: not counted in a few seconds; `GET …/survey-check` takes its time.")

    @classmethod
    def of(cls, found: queries.Fallbacks) -> Self:
        fields = [MergeFieldCheck(field=field, fallback_count=count) for field, count in found.counts.items()]
        return cls(audience_count=found.audience_count, merge_fields=fields, is_in_time=found.is_in_time)


class SavedPlanChange(PlanChange):
    is_in_time: bool = Field(description="False: not found out in a few seconds; `POST …/plan` takes its time.")


class SavedCampaign(Campaign):
    fallbacks: Fallbacks | None = Field(
        description="How many would read the words of a fall-back; null where neither survey nor asking was changed."
    )

    @classmethod
    def of(cls, campaign: Mapping[str, Any], preview: queries.CampaignPreview) -> Self:
        fallbacks = preview.fallbacks and Fallbacks.of(preview.fallbacks)
        return cls.model_validate({**campaign, "fallbacks": fallbacks, "plan": preview.plan})


class EditedCampaign(SavedCampaign):
    plan: SavedPlanChange | None = Field(
        description="What it would have done, and what it will do; null where a launched campaign's asking was not"
        " changed. Of very many people only the first 2,000 are looked at one by one, and then it is not `is_complete`."
    )
