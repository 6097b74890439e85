"""How a score is asked for: the query string, read into a question."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from app.api.audience_models import REFERENCE, AudienceFilter
from app.api.schemas import CampaignId, Instant, Request, Whole
from app.domain.audience.audience import Filter
from app.domain.audience.audience_fields import About
from app.domain.audience.audience_json import read_filter
from app.domain.campaign import CampaignNotFound
from app.domain.response import Channel
from app.domain.scores.grouping import (
    BaselineNeedsArms,
    Grouping,
    GroupKind,
    MetricsMixed,
    PropertyNotReady,
    PropertyNotTracked,
    Segment,
    SegmentsNotCombined,
)
from app.domain.scores.metric import MetricKey
from app.domain.scores.period import PeriodEmpty, PeriodOutOfRange, TooManyBuckets
from app.domain.scores.scoring import DEFAULT_LEVEL, LEVELS
from app.domain.scores.segment import LONGEST_LABEL, PROPERTY_KEY
from app.domain.scores.span import ComparisonNeedsPeriod
from app.queries.scores import Against, Between, ScoreQuestion

KEY = PROPERTY_KEY.pattern
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
PLAIN_GROUPS = [kind.value for kind in GroupKind if kind is not GroupKind.PROPERTY]


def _day_or_instant(text: str) -> date | datetime:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else INSTANT.validate_python(text)
    except (ValidationError, ValueError):
        raise ValueError("should be a day such as 2026-11-22, or an RFC 3339 instant") from None


def _segment(text: str) -> Segment:
    key, colon, value = text.partition(":")
    if not PROPERTY_KEY.fullmatch(key) or not colon or not 0 < len(value) <= LONGEST_LABEL or "\0" in value:
        raise ValueError("should be a tracked property and one of its values, such as plan:pro")
    return Segment(key, value)


def _grouping(text: str) -> Grouping:
    kind, _, key = text.partition(":")
    if text in PLAIN_GROUPS:
        return Grouping(GroupKind(text))
    if kind != GroupKind.PROPERTY or not PROPERTY_KEY.fullmatch(key):
        raise ValueError(f"should be {', '.join(PLAIN_GROUPS)} or property:<key>")
    return Grouping(GroupKind.PROPERTY, key)


def _against(text: str) -> Against | Between:
    if text in set(Against):
        return Against(text)
    from_, dots, until = text.partition("..")
    if not dots:
        raise ValueError("should be previous_period, year_ago, or a period such as 2026-01-01..2026-04-01")
    return Between(_day_or_instant(from_), _day_or_instant(until))


def _known_level(level: float) -> float:
    if level not in LEVELS:
        raise ValueError(f"should be one of {', '.join(map(str, LEVELS))}")
    return level


def _text_schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **schema})


DAY_OR_INSTANT = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
DayOrInstant = Annotated[
    date | datetime,
    PlainValidator(_day_or_instant),
    WithJsonSchema({"anyOf": DAY_OR_INSTANT, "examples": ["2026-11-01"]}),
]

Level = Annotated[float, AfterValidator(_known_level), WithJsonSchema({"type": "number", "enum": list(LEVELS)})]

TEXTS = ("from", "until", "segment", "group_by", "compare")

REFUSED_QUESTIONS = (
    BaselineNeedsArms,
    CampaignNotFound,
    ComparisonNeedsPeriod,
    MetricsMixed,
    PeriodEmpty,
    PeriodOutOfRange,
    PropertyNotReady,
    PropertyNotTracked,
    SegmentsNotCombined,
    TooManyBuckets,
)


class ScoreQuery(Request):
    campaign_id: Annotated[list[CampaignId], Field(max_length=100)] = Field(
        [], description="One or several of the same metric; without any, the whole workspace."
    )
    metric: MetricKey | None = Field(None, description="Of the whole workspace: nps, if left out.")
    from_: DayOrInstant | None = Field(
        None, alias="from", description="A day of the workspace's time zone, or an instant. All of time, if left out."
    )
    until: DayOrInstant | None = Field(None, description="The same; the first day or instant that does not belong.")
    channel: Annotated[list[Channel], Field(max_length=len(Channel))] = Field([], description="One or several.")
    survey_version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    segment: (
        Annotated[Segment, PlainValidator(_segment), _text_schema(pattern=f"^{KEY}:.+$", examples=["plan:pro"])] | None
    ) = Field(None, description="A tracked property and its value.")
    group_by: (
        Annotated[
            Grouping,
            PlainValidator(_grouping),
            _text_schema(pattern=f"^({'|'.join(PLAIN_GROUPS)}|property:{KEY})$", examples=["month"]),
        ]
        | None
    ) = Field(None, description="In time, or by channel, survey_version, campaign, variant or property:<key>.")
    baseline: Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)] | None = Field(
        None,
        description="The variant, or the value of the property, that each other one is compared with. Of variants the "
        "first, if left out.",
        examples=["control"],
    )
    compare: (
        Annotated[
            Against | Between,
            PlainValidator(_against),
            _text_schema(pattern=r"^(previous_period|year_ago|.+\.\..+)$", examples=["previous_period"]),
        ]
        | None
    ) = Field(None, description="previous_period, year_ago, or any period written FROM..UNTIL.")
    level: Level = Field(DEFAULT_LEVEL, description="Confidence of the margin and of the verdict on a change.")

    def question(self, fitting: Filter | None = None) -> ScoreQuestion:
        return ScoreQuestion(
            campaign_ids=tuple(dict.fromkeys(self.campaign_id)),
            metric=self.metric,
            from_=self.from_,
            until=self.until,
            channels=tuple(self.channel),
            survey_version=self.survey_version,
            segment=self.segment,
            group_by=self.group_by,
            against=self.compare,
            baseline=self.baseline,
            level=self.level,
            fitting=fitting,
        )


class FilteredScoreQuery(ScoreQuery):
    """Beside the filter, the parameters of `GET /v1/scores` under their names.

    Answers are filtered by `properties.<key>` of the recipient as they were when the answer came, by
    `response.properties.<key>`, and by what is known of the account today.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filter": {"field": "properties.seats", "gte": 100}, "from": "2026-11-01"}]}
    )

    filter: Annotated[AudienceFilter, WithJsonSchema({"allOf": [REFERENCE]})]
    survey_version: Annotated[Whole, Field(ge=1, le=2**31 - 1)] | None = None
    level: Annotated[Level, Field(strict=True)] = DEFAULT_LEVEL

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, given: Any) -> Any:
        """In a query string there is nothing else."""
        said = given if isinstance(given, dict) else {}
        wrong = [name for name in TEXTS if not isinstance(said.get(name), str | None)]
        if wrong:
            raise ValueError(f"{wrong[0]} should be text")
        return given

    def filtered_question(self) -> ScoreQuestion:
        """Raises FilterInvalid."""
        return self.question(read_filter(self.filter, about=About.ANSWERS))
