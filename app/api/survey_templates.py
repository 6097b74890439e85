"""Surveys to start from."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field, StringConstraints

from app.api.dependencies import CampaignReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Listing, Reply
from app.api.survey_models import ShownSurvey
from app.domain.campaign import CampaignKind
from app.domain.scores.metric import MetricKey
from app.domain.survey.survey_templates import (
    LANGUAGES,
    TEMPLATES,
    SurveyTemplate,
    TemplateLanguageMissing,
    TemplateNotFound,
    find_template,
)

routes = router("campaigns")
TemplateKey = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$")]
Languages = Annotated[
    list[Annotated[str, StringConstraints(max_length=20)]],
    Query(max_length=len(LANGUAGES), description="The first is the default. All it is written in, if left out."),
]


class SurveyTemplateReply(Reply):
    key: str = Field(examples=["nps_relationship"])
    name: str
    description: str
    kind: CampaignKind = Field(description="What it suits best; a campaign may be of the other kind.")
    metric: MetricKey
    languages: list[str]


class SurveyTemplateInFull(SurveyTemplateReply):
    survey: ShownSurvey = Field(description="As a campaign would have it; edit it and send it with the campaign.")


@routes.get("/v1/survey-templates", summary="List surveys to start from")
async def list_survey_templates(caller: CampaignReader) -> Listing[SurveyTemplateReply]:  # noqa: ARG001 - needs a key
    return Listing(data=[SurveyTemplateReply(**_told(template)) for template in TEMPLATES.values()])


@routes.get(
    "/v1/survey-templates/{template_key}",
    summary="Read a survey to start from",
    responses=refuses(TemplateNotFound, TemplateLanguageMissing),
)
async def get_survey_template(
    template_key: TemplateKey,
    caller: CampaignReader,  # noqa: ARG001 - needs a key
    language: Languages = [],  # noqa: B006 - FastAPI's, which copies it
) -> SurveyTemplateInFull:
    template = find_template(template_key)
    survey = template.survey(tuple(dict.fromkeys(language)) or LANGUAGES)
    return SurveyTemplateInFull.model_validate({**_told(template), "survey": survey.to_json()})


def _told(template: SurveyTemplate) -> dict[str, Any]:
    names = ("key", "name", "description", "kind", "metric")
    return {**{name: getattr(template, name) for name in names}, "languages": list(LANGUAGES)}
