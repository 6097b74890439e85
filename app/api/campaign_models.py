"""What campaigns look like from outside."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.api.asking_models import AskingInput
from app.api.invitation_models import SendingWarning
from app.api.schemas import CampaignId, Flag, Instant, Name, Reply, Request, absent
from app.api.survey_models import ShownSurvey, SurveyInput
from app.domain.campaign import CampaignKind, CampaignState
from app.domain.scores.metric import MetricKey
from app.domain.survey.survey import Survey, SurveyChange
from app.domain.survey.survey_templates import LANGUAGES, find_template


class TemplateChoice(Request):
    key: Annotated[str, StringConstraints(max_length=50)] = Field(examples=["nps_relationship"])
    languages: list[Annotated[str, StringConstraints(max_length=20)]] = Field(
        [],
        max_length=len(LANGUAGES),
        description="The first is the default. All it is written in, if left out.",
        examples=[["en", "de"]],
    )


class CampaignCreate(Request):
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["template"], "properties": {"template": {"type": "object"}}},
            "then": {"not": {"anyOf": [{"required": ["survey"]}, {"required": ["metric"]}]}},
        }
    )

    name: Name
    kind: CampaignKind
    metric: MetricKey = MetricKey.NPS
    goal: Name | None = Field(None, description="Your label for what this measures.", examples=["onboarding"])
    one_answer_per_recipient: Flag = Field(
        default=False,
        description="However it comes, by a link of theirs or through the API, and whatever it is about. Of anonymous "
        "answers nobody can tell whose they are.",
    )
    is_anonymous: Flag = Field(default=False, description="No answer is linked to the person who gave it.")
    starts_at: Instant | None = Field(None, description="Launched earlier, the campaign is scheduled until then.")
    ends_at: Instant | None = Field(None, description="The asking ends; answers are still taken.")
    asking: AskingInput | None = Field(None, description="Whom it asks, when and how; null: nobody by itself.")
    survey: SurveyInput = SurveyInput(default_language="en", languages=["en"])
    template: TemplateChoice | None = Field(
        None, description="One of `GET /v1/survey-templates`, which brings survey and metric."
    )

    @model_validator(mode="after")
    def _one_survey(self) -> Self:
        if self.template is not None and self.model_fields_set & {"survey", "metric"}:
            raise ValueError("give a template, or a survey and a metric of your own")
        return self

    def columns(self) -> dict[str, Any]:
        asking = self.asking.document() if self.asking else None
        metric = find_template(self.template.key).metric if self.template else self.metric
        return {**self.model_dump(exclude={"survey", "template", "asking"}), "metric": metric, "asking": asking}

    def read_survey(self) -> Survey:
        """Raises TemplateNotFound, TemplateLanguageMissing."""
        if self.template is None:
            return self.survey.read()
        template = find_template(self.template.key)
        return template.survey(tuple(dict.fromkeys(self.template.languages)) or LANGUAGES)


class CampaignEdit(Request):
    """Fields left out stay as they are. Once launched, `kind` and `metric` are fixed."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["survey_change"], "properties": {"survey_change": {"type": "string"}}},
            "then": {"required": ["survey"]},
        }
    )

    name: Name = absent()
    kind: CampaignKind = absent()
    metric: MetricKey = absent()
    goal: Name | None = None
    one_answer_per_recipient: Flag = absent()
    is_anonymous: Flag = absent()
    starts_at: Instant | None = Field(None, description="Fixed once the campaign has started.")
    ends_at: Instant | None = None
    asking: AskingInput | None = Field(
        None,
        description="What is planned and not sent is planned anew; `POST …/plan` says beforehand how.",
    )
    survey: SurveyInput = absent()
    survey_change: Literal[SurveyChange.TYPO, SurveyChange.WORDING] | None = Field(
        None, description="Needed for a new survey after the launch: only a new wording can move the score by itself."
    )

    def columns(self) -> dict[str, Any]:
        said = self.model_dump(exclude={"survey", "survey_change", "asking"}, exclude_unset=True)
        if "asking" in self.model_fields_set:
            said["asking"] = self.asking.document() if self.asking else None
        return said

    @model_validator(mode="after")
    def _change_of_what(self) -> Self:
        if self.survey_change is not None and "survey" not in self.model_fields_set:
            raise ValueError("survey_change says what a new survey is, and there is none")
        return self


class Campaign(Reply):
    id: CampaignId
    name: str
    kind: CampaignKind
    goal: str | None
    metric: MetricKey
    state: CampaignState
    one_answer_per_recipient: bool
    is_anonymous: bool = Field(description="No answer is linked to the person who gave it.")
    survey_version: int
    survey: ShownSurvey
    starts_at: Instant | None
    ends_at: Instant | None
    launched_at: Instant | None
    completed_at: Instant | None
    archived_at: Instant | None
    asking: dict[str, Any] | None = Field(description="Whom it asks, when and how; null: nobody by itself.")
    paused_reason: str | None = Field(description="Where it was not a person who paused it.")
    created_at: Instant
    updated_at: Instant
    revision: int = Field(description="Counts changes: of two copies, the higher is the later.")


class StartedCampaign(Campaign):
    warnings: list[SendingWarning] = Field(description="What had better be seen to before mails leave.")


class SurveyVersion(Reply):
    version: int
    change: SurveyChange = Field(description="What its author said it is.")
    survey: ShownSurvey
    created_at: Instant
