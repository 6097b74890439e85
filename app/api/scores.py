"""The score, at any moment, of any slice that is counted."""

from typing import Annotated

from fastapi import Query

from app.api.dependencies import Now, ReadTx, ScoreReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.score_models import ScoresReply
from app.api.score_query import REFUSED_QUESTIONS, FilteredScoreQuery, ScoreQuery
from app.domain.audience.audience import FilterInvalid, FilterTooSlow
from app.queries.patience import at_most
from app.queries.scores import answer_score

routes = router("scores")
LONGEST_QUERY_SECONDS = 10.0


@routes.get("/v1/scores", summary="Read a score", responses=refuses(*REFUSED_QUESTIONS))
async def get_score(caller: ScoreReader, query: Annotated[ScoreQuery, Query()], tx: ReadTx, now: Now) -> ScoresReply:
    """Costs the same however many answers it rests on: what is read are counts, one for each day and channel."""
    question = query.question()
    return ScoresReply.of(await answer_score(tx, caller.workspace_id, question, now=now), question)


@routes.post(
    "/v1/scores/query",
    summary="Read the score of the answers that a filter fits",
    responses=refuses(*REFUSED_QUESTIONS, FilterInvalid, FilterTooSlow),
)
async def query_score(body: FilteredScoreQuery, caller: ScoreReader, tx: ReadTx, now: Now) -> ScoresReply:
    """Looks at every answer of the period, so it takes longer the more there are, and gives up after ten seconds.

    What is asked for often is better declared a tracked property: that costs the same however many answers there are.
    """
    question = body.filtered_question()
    async with at_most(tx, LONGEST_QUERY_SECONDS):
        return ScoresReply.of(await answer_score(tx, caller.workspace_id, question, now=now), question)
