"""What was answered to further questions."""

from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import Field

from app.api.dependencies import ReadTx, ScoreReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, Reply, Request
from app.api.score_models import ScorePeriod
from app.api.score_query import DayOrInstant
from app.api.survey_models import Question
from app.domain.campaign import CampaignNotFound
from app.domain.response import Channel
from app.domain.scores.metric import Band
from app.domain.scores.minimum_group import Withheld
from app.domain.scores.period import PeriodEmpty, PeriodOutOfRange
from app.domain.scores.span import Span
from app.domain.survey.question_results import QuestionNotFound, Tally
from app.domain.survey.question_results import QuestionResults as Results
from app.domain.survey.question_rules import STABLE_ID
from app.queries.question_results import QuestionAsked, question_results

routes = router("scores")


class ResultsQuery(Request):
    campaign_id: CampaignId
    from_: DayOrInstant | None = Field(
        None, alias="from", description="A day of the workspace's time zone, or an instant. All of time, if left out."
    )
    until: DayOrInstant | None = Field(None, description="The same; the first day or instant that does not belong.")
    channel: Annotated[list[Channel], Field(max_length=len(Channel))] = Field([], description="One or several.")


class AnswerTally(Reply):
    value: str | int = Field(description="The id of an option, or a value of the scale.", examples=["price"])
    count: int
    share: float = Field(description="Of those who answered the question; of many_of they add up to more than 1.")
    bands: dict[Band, int] | None = Field(
        description="By the band of the score that came with it; null where an anonymous campaign would tell of fewer "
        "than five answers."
    )

    @classmethod
    def of(cls, tally: Tally, results: Results) -> Self:
        tells_bands = results.tells_bands and tally.value not in results.without_bands
        return cls(value=tally.value, count=tally.count, share=tally.share, bands=tally.bands if tells_bands else None)


class QuestionResults(Reply):
    question: Question = Field(description="As the newest version of the survey that has it asks it.")
    campaign_id: CampaignId
    period: ScorePeriod
    response_count: int | None = Field(description="Responses of the campaign in the period, whatever they answered.")
    n: int | None = Field(description="Those that answered this question.")
    bands: dict[Band, int] | None
    results: list[AnswerTally] | None = Field(description="In the order they are offered. Empty for free texts.")
    mean: float | None = Field(description="Of scales; null without answers.")
    withheld: Withheld | None = Field(
        None, description="Why there are no numbers: of an anonymous campaign, fewer than five answers were counted."
    )

    @classmethod
    def of(cls, found: Results, asked: QuestionAsked, span: Span) -> Self:
        about = {"question": found.question.to_json(), "campaign_id": asked.campaign_id, "period": ScorePeriod.of(span)}
        if found.withheld:
            return cls.model_validate({**dict.fromkeys(cls.model_fields), **about, "withheld": found.withheld})
        told = {
            "response_count": found.response_count,
            "n": found.n,
            "bands": found.bands if found.tells_bands else None,
            "results": [AnswerTally.of(tally, found) for tally in found.tallies],
            "mean": found.mean,
        }
        return cls.model_validate({**about, **told})


@routes.get(
    "/v1/questions/{question_id}/results",
    summary="Read the answers to a further question",
    responses=refuses(CampaignNotFound, QuestionNotFound, PeriodEmpty, PeriodOutOfRange),
)
async def get_question_results(
    question_id: Annotated[str, Path(pattern=f"^{STABLE_ID.pattern}$")],
    query: Annotated[ResultsQuery, Query()],
    caller: ScoreReader,
    tx: ReadTx,
) -> QuestionResults:
    """Counted from the responses themselves: it takes longer the more there are in the period."""
    asked = QuestionAsked(query.campaign_id, question_id, query.from_, query.until, tuple(query.channel))
    found, span = await question_results(tx, caller.workspace_id, asked)
    return QuestionResults.of(found, asked, span)
