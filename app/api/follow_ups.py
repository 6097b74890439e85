"""Who looks after an answer. Buttons in chats change it."""

from pydantic import Field

from app.api.dependencies import ReadTx, ResponseReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Instant, Reply, ResponseId
from app.domain.follow_up import FollowUpState
from app.domain.response import ResponseNotFound
from app.queries.follow_ups import get_follow_up as read_follow_up

routes = router("responses")


class FollowUp(Reply):
    response_id: ResponseId
    state: FollowUpState
    owner: str | None = Field(description="Who took it on, as the chat names them.")
    changed_by: str | None
    changed_at: Instant | None
    resolved_at: Instant | None
    revision: int = Field(description="0 while nobody has done anything.")


@routes.get(
    "/v1/responses/{response_id}/follow-up",
    summary="Who looks after a response",
    responses=refuses(ResponseNotFound),
)
async def get_follow_up(response_id: ResponseId, caller: ResponseReader, tx: ReadTx) -> FollowUp:
    row = await read_follow_up(tx, caller.workspace_id, response_id)
    return FollowUp.model_validate(
        {**row, "state": row["state"] or FollowUpState.OPEN, "revision": row["revision"] or 0}
    )
