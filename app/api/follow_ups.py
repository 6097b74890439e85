"""Who looks after an answer. Buttons in chats change it, and whoever has a key."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from app.api.dependencies import Now, ReadTx, ResponseReader, ResponseWriter, Tx
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Instant, Reply, Request, ResponseId, storable
from app.db import engine as database
from app.domain.follow_up import LONGEST_NAME, FollowUpState, Press
from app.domain.response import ResponseNotFound
from app.operations.follow_ups import follow_up
from app.queries.api_keys import Caller
from app.queries.follow_ups import get_follow_up as read_follow_up

routes = router("responses")


PLACE = "/v1/responses/{response_id}/follow-up"
Somebody = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_NAME, strip_whitespace=True), AfterValidator(storable)
]


class FollowUpChange(Request):
    state: Literal[FollowUpState.ASSIGNED, FollowUpState.RESOLVED]
    by: Somebody = Field(description="Who takes it on, or is done with it.", examples=["olga"])


class FollowUp(Reply):
    response_id: ResponseId
    state: FollowUpState
    owner: str | None = Field(description="Who took it on, as the chat, or whoever told us, names them.")
    changed_by: str | None
    changed_at: Instant | None
    resolved_at: Instant | None
    revision: int = Field(description="0 while nobody has done anything.")


@routes.get(
    PLACE,
    summary="Read who looks after a response",
    responses=refuses(ResponseNotFound),
)
async def get_follow_up(response_id: ResponseId, caller: ResponseReader, tx: ReadTx) -> FollowUp:
    return await _shown(tx, caller, response_id)


@routes.put(PLACE, summary="Take a response on, or be done with it", responses=refuses(ResponseNotFound))
async def set_follow_up(
    response_id: ResponseId, body: FollowUpChange, caller: ResponseWriter, tx: Tx, now: Now
) -> FollowUp:
    """As if somebody had pressed the button of a chat: its message shows it, and what is resolved stays so."""
    press = Press(response_id, FollowUpState(body.state), body.by, now)
    await follow_up(tx, caller.workspace_id, press)
    return await _shown(tx, caller, response_id)


async def _shown(tx: database.Tx | database.ReadTx, caller: Caller, response_id: ResponseId) -> FollowUp:
    row = await read_follow_up(tx, caller.workspace_id, response_id)
    return FollowUp.model_validate(
        {**row, "state": row["state"] or FollowUpState.OPEN, "revision": row["revision"] or 0}
    )
