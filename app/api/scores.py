"""The score, at any moment, of any slice that is counted."""

from typing import Annotated

from fastapi import Query

from app.api.dependencies import Now, ReadTx, ScoreReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.score_models import ScoresReply
from app.api.score_query import REFUSED_QUESTIONS, ScoreQuery
from app.queries.scores import answer_score

routes = router("scores")


@routes.get("/v1/scores", summary="Read a score", responses=refuses(*REFUSED_QUESTIONS))
async def get_score(caller: ScoreReader, query: Annotated[ScoreQuery, Query()], tx: ReadTx, now: Now) -> ScoresReply:
    """Costs the same however many answers it rests on: what is read are counts, one for each day and channel."""
    question = query.question()
    return ScoresReply.of(await answer_score(tx, caller.workspace_id, question, now=now), question)
