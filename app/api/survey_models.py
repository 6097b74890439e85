"""What a survey looks like from outside."""

from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints

from app.api.schemas import Flag, Reply, Request, Whole
from app.domain.scores.metric import Band
from app.domain.survey.links import LONGEST_LINK
from app.domain.survey.question_rules import (
    LONGEST_LABEL,
    LONGEST_OPTION,
    LONGEST_SCALE,
    MOST_CONDITIONS,
    MOST_OPTIONS,
    MOST_QUESTIONS,
    STABLE_ID,
)
from app.domain.survey.questions import QuestionKind
from app.domain.survey.survey import MOST_LANGUAGES, Survey
from app.domain.survey.survey_texts import LONGEST_TEXT

Language = Annotated[str, StringConstraints(max_length=20), Field(examples=["en", "pt-BR", "zh-Hant"])]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Label = Annotated[str, StringConstraints(max_length=LONGEST_LABEL)]
StableId = Annotated[str, StringConstraints(pattern=f"^{STABLE_ID.pattern}$"), Field(examples=["reason"])]
Value = TypeVar("Value")
ByLanguage = Annotated[dict[str, Value], Field(max_length=MOST_LANGUAGES, description="By language.")]
ByBand = Annotated[
    dict[str, ByLanguage[Value]],
    Field(max_length=len(Band), description="By band (promoter, passive, detractor), then by language."),
]
ScalePoint = Annotated[Whole, Field(ge=0, le=100)]


class ThankYouInput(Request):
    text: Text
    link: Annotated[str, StringConstraints(max_length=LONGEST_LINK)] | None = Field(
        None, description="Begins with https://", examples=["https://reviews.example/us"]
    )
    share_text: Text | None = Field(None, description="Ready to be sent on to a friend.")


class OptionInput(Request):
    id: StableId
    text: ByLanguage[Annotated[str, StringConstraints(max_length=LONGEST_OPTION)]] = Field({})


class ScaleInput(Request):
    lowest: ScalePoint = Field(examples=[1])
    highest: ScalePoint = Field(description=f"At most {LONGEST_SCALE} values.", examples=[5])
    lowest_label: ByLanguage[Label] = Field({})
    highest_label: ByLanguage[Label] = Field({})


class ConditionInput(Request):
    """Of bands and options say `any_of`; of the score and of scales `at_least`, `at_most` or both."""

    of: StableId = Field(description="`score`, `band`, or the id of an earlier question.", examples=["band"])
    any_of: list[StableId] = Field([], max_length=MOST_OPTIONS, examples=[["detractor"]])
    at_least: ScalePoint | None = None
    at_most: ScalePoint | None = None


class ShowIfInput(Request):
    """Either all of these conditions hold, or any of them."""

    all: list[ConditionInput] = Field([], max_length=MOST_CONDITIONS)
    any: list[ConditionInput] = Field([], max_length=MOST_CONDITIONS)


class QuestionInput(Request):
    id: StableId = Field(description="Answers and results go by it: keep it when the wording changes.")
    kind: QuestionKind
    text: ByLanguage[Text] = Field({})
    options: list[OptionInput] = Field([], max_length=MOST_OPTIONS, description="Of one_of and many_of.")
    scale: ScaleInput | None = Field(None, description="Of scale.")
    is_required: Flag = Field(default=False, description="On the survey page. By the API, any answer may be missing.")
    show_if: ShowIfInput | None = Field(None, description="Asked of everybody, if left out.")


class SurveyInput(Request):
    """Replaces the survey as a whole. A launch needs every question in every language; the rest is optional.

    Texts may say something of their reader, with words for whoever has none: `Hello {name|there}`. There is
    `{name|…}`, `{account|…}`, `{brand|…}` and, of the recipient's properties or of what they are asked about,
    `{property.plan|…}`.
    """

    default_language: Language
    languages: list[Language] = Field(min_length=1, max_length=MOST_LANGUAGES)
    question: ByLanguage[Text] = Field({})
    follow_up: ByBand[Text] = Field({})
    thank_you: ByBand[ThankYouInput] = Field({})
    lowest_label: ByLanguage[Label] = Field({}, description="The low end of the scale, in words; by language.")
    highest_label: ByLanguage[Label] = Field({}, description="The high end of the scale, in words; by language.")
    reward: ByLanguage[Text] = Field(
        {}, description="Introduces the code that everybody gets who answers, whatever they answered; by language."
    )
    questions: list[QuestionInput] = Field(
        [], max_length=MOST_QUESTIONS, description="Asked after the score, in this order."
    )

    def read(self) -> Survey:
        return Survey.from_json(self.model_dump())


class ThankYou(Reply):
    text: str
    link: str | None
    share_text: str | None = None


class Option(Reply):
    id: str
    text: dict[str, str]


class Scale(Reply):
    lowest: int
    highest: int
    lowest_label: dict[str, str]
    highest_label: dict[str, str]


class Condition(Reply):
    of: str
    any_of: list[str]
    at_least: int | None
    at_most: int | None


class ShowIf(Reply):
    all: list[Condition]
    any: list[Condition]


class Question(Reply):
    id: str
    kind: QuestionKind
    text: dict[str, str]
    options: list[Option]
    scale: Scale | None
    is_required: bool
    show_if: ShowIf | None


class ShownSurvey(Reply):
    default_language: str
    languages: list[str]
    question: dict[str, str]
    follow_up: dict[str, dict[str, str]]
    thank_you: dict[str, dict[str, ThankYou]]
    lowest_label: dict[str, str] = Field({})
    highest_label: dict[str, str] = Field({})
    reward: dict[str, str] = Field({})
    questions: list[Question] = Field([])
