"""What an answer looks like on the way in and on the way out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic.config import JsonDict

from app.api.problem_models import RowProblem
from app.api.recipient_models import RecipientUpsert
from app.api.schemas import (
    CampaignId,
    Flag,
    Instant,
    InvitationId,
    Line,
    Name,
    Properties,
    Prose,
    RecipientId,
    Reply,
    Request,
    ResponseId,
    Whole,
    absent,
)
from app.domain.response import Certainty, Channel, IfAnswered
from app.domain.scores.metric import METRICS, Band
from app.domain.scores.segment import VARIANT
from app.domain.survey.answers import LONGEST_ANSWER
from app.domain.survey.question_rules import MOST_OPTIONS, MOST_QUESTIONS

RawScore = Annotated[Whole, Field(ge=0, le=10, description="On the scale of the campaign's metric.", examples=[9])]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$", max_length=35)]
Comment = Annotated[Prose, Field(description="At most 10,000 characters.", examples=["Fast, friendly, a bit pricey."])]

ANSWER: JsonDict = {
    "anyOf": [
        {"type": "string", "maxLength": LONGEST_ANSWER},
        {"type": "integer"},
        {"type": "array", "items": {"type": "string"}, "maxItems": MOST_OPTIONS},
        {"type": "null"},
    ]
}
# What fits is for the survey to say, which names the question that something is wrong with.
Answers = Annotated[
    dict[str, Any],
    Field(max_length=MOST_QUESTIONS),
    WithJsonSchema({"type": "object", "additionalProperties": ANSWER, "maxProperties": MOST_QUESTIONS}),
]
ANSWERS_TAKEN = (
    "To further questions of the survey, by their ids: a text, the id of an option, a list of such, a number."
)

NOT_TWO_PEOPLE: JsonDict = {
    "required": ["recipient_id", "recipient"],
    "properties": {"recipient_id": {"type": "string"}, "recipient": {"type": "object"}},
}


class ResponseInput(Request):
    model_config = ConfigDict(json_schema_extra={"not": NOT_TWO_PEOPLE})

    campaign_id: CampaignId
    score: RawScore
    recipient_id: RecipientId | None = Field(None, description="Who answered; leave out, with `recipient`, if unknown.")
    recipient: RecipientUpsert | None = Field(None, description="Who answered, created or updated along with it.")
    comment: Comment | None = None
    answers: Answers | None = Field(None, description=ANSWERS_TAKEN, examples=[{"reason": "price", "ease": 4}])
    channel: Channel = Channel.API
    language: Language | None = None
    occasion: Name | None = Field(
        None,
        description="The order, ticket or wave this answers: one answer for each, whoever retries. Where the campaign "
        "takes one answer per person, one in all.",
    )
    import_id: Name | None = Field(
        None,
        description="Your id of an answer recorded elsewhere; recorded here once. Sent again, it changes no "
        "`recipient`: upsert them instead.",
    )
    properties: Properties = Field(default_factory=dict, description="Of this answer; an amendment leaves them alone.")
    may_contact: Flag | None = None
    answered_at: Instant | None = Field(None, description="When it was given; now, if left out.")
    if_answered: IfAnswered = Field(IfAnswered.REFUSE, description="What to do if the slot holds another answer.")
    notify: Flag = Field(default=False, description="Announce it as news although it is older than a day.")

    @model_validator(mode="after")
    def _one_way_to_name_a_person(self) -> "ResponseInput":
        if self.recipient_id is not None and self.recipient is not None:
            raise ValueError("give recipient_id or recipient, not both")
        return self


class RecordedResponse(Reply):
    """The answer as it now stands. 201: recorded; 200: it was here already, or has been amended."""

    id: ResponseId
    campaign_id: CampaignId
    survey_version: int
    recipient_id: RecipientId | None
    channel: Channel
    score: int
    band: Band
    comment: str | None
    answered_at: Instant
    revision: int
    outcome: Literal["created", "repeated", "amended"]


class ResponseBulk(Request):
    responses: list[Any] = Field(
        min_length=1,
        max_length=500,
        description="Each as in `POST /v1/responses`. One that is rejected does not hold up the others.",
        json_schema_extra={"items": {"$ref": "#/components/schemas/ResponseInput"}},
    )


class ResponseRowResult(Reply):
    index: int = Field(description="Its place in the request, from 0.")
    status: int = Field(description="What `POST /v1/responses` would have answered.", examples=[201])
    response: RecordedResponse | None = None
    problem: RowProblem | None = Field(None, description="Where it was rejected.")


class ResponseBulkReply(Reply):
    created: int
    repeated: int
    amended: int
    rejected: int
    results: list[ResponseRowResult]


# Of answers to anonymous campaigns: kept to count by, and never shown.
_HIDDEN: Mapping[str, Any] = {
    "language": None, "may_contact": None, "occasion": None, "import_id": None, "properties": {}, "segments": {},
    "survey_version": None, "wave": None,
}  # fmt: skip
_WORKED_OUT = frozenset({"band", "excluded", "segments", "variant"})


class Exclusion(Reply):
    at: Instant
    reason: str


class ResponseReply(Reply):
    id: ResponseId
    campaign_id: CampaignId
    survey_version: int | None = Field(description="Null for anonymous campaigns.")
    recipient_id: RecipientId | None
    channel: Channel
    score: int
    band: Band
    comment: str | None
    language: str | None
    may_contact: bool | None
    occasion: str | None
    import_id: str | None
    invitation_id: InvitationId | None = Field(description="That it answers; null for anonymous campaigns.")
    wave: int | None = Field(description="0: outside any wave; null for anonymous campaigns.")
    variant: str | None = Field(description="Of the question that was asked; null for anonymous campaigns.")
    certainty: Certainty = Field(description="Probable: seen long enough, but nobody pressed or moved anything.")
    answers: dict[str, Any] | None = Field(description="To further questions, by their ids.")
    properties: dict[str, Any] = Field(description="Empty for anonymous campaigns.")
    recipient_properties: dict[str, Any] | None = Field(description="As they were when the answer came.")
    segments: dict[str, str] = Field(description="The values of tracked properties it is counted under.")
    excluded: Exclusion | None
    answered_at: Instant
    created_at: Instant
    updated_at: Instant
    revision: int

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> "ResponseReply":
        excluded_at: datetime | None = row["excluded_at"]
        shown = {**row, **_HIDDEN} if row["is_anonymous"] else row
        return cls(
            **{name: shown[name] for name in cls.model_fields if name not in _WORKED_OUT},
            segments={key: value for key, value in shown["segments"].items() if not key.startswith("@")},
            variant=shown["segments"].get(VARIANT),
            band=METRICS[row["metric"]].band_for(row["score"]),
            excluded=Exclusion(at=excluded_at, reason=row["excluded_reason"]) if excluded_at else None,
        )


class ResponseChange(Request):
    """What is left out stays; null clears."""

    score: RawScore = absent()
    comment: Comment | None = None
    answers: Answers | None = Field(None, description="One by one: those left out stay, null takes one away.")
    may_contact: Flag | None = None
    reason: Line | None = Field(None, description="Why; kept with the revision.")


class ExclusionInput(Request):
    reason: Line = Field(examples=["Answered by a colleague while testing"])


class RestorationInput(Request):
    reason: Line | None = None


class RevisionReply(Reply):
    """What the response said before a change."""

    revision: int
    score: int
    comment: str | None
    answers: dict[str, Any] | None
    change: Literal["amended", "excluded", "restored"]
    actor: str
    reason: str | None
    changed_at: Instant
