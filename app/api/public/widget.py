"""Answers straight from a browser: a publishable key, no preflight, and parts of one answer in any order.

The body is JSON whatever its media type says, because text/plain is what a page may send to another origin without
asking first; the key stands in the query because a header of our own would need asking too (Fetch standard, CORS).
"""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from app.api.dependencies import services_of
from app.api.hot_route import SimpleRequestRoute, admitted
from app.api.problems import Refused, answer_for
from app.api.response_models import ANSWERS_TAKEN, Comment, Language, RawScore
from app.api.schemas import CampaignId, Flag, Properties, Reply, absent
from app.db.identifiers import new_id
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.keys import EVERYTHING, KeyKind
from app.domain.response import Channel
from app.domain.survey.answers import fitting_answers, merged_answers
from app.domain.survey.question_rules import MOST_QUESTIONS
from app.operations.responses.new_response import NewResponse, What
from app.queries.api_keys import Caller
from app.queries.survey_questions import questions_asked_now

BODY_LIMIT_BYTES = 16_384
PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "86400",
}


class WidgetResponse(BaseModel):
    """Fields we do not know are ignored: pages keep old widgets for years."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    campaign_id: CampaignId
    client_ref: UUID = Field(description="Made by the page, the same for all parts of one answer.")
    seq: Annotated[int, Field(strict=True, ge=0, le=2**53)] = Field(
        description="Grows from part to part, such as milliseconds since the page opened. Of each field, what the part "
        "with the highest says counts."
    )
    score: RawScore = absent()
    comment: Comment | None = None
    answers: Annotated[dict[str, Any], Field(max_length=MOST_QUESTIONS)] | None = Field(
        None, description=f"{ANSWERS_TAKEN} What does not fit the survey is left out.", examples=[{"reason": "price"}]
    )
    channel: Literal[Channel.WEB, Channel.IN_APP] = Channel.WEB
    language: Language | None = None
    may_contact: Flag | None = None
    properties: Properties = Field(default_factory=dict, description="Taken from the part that arrives first.")


class RecordedWidgetResponse(Reply):
    client_ref: UUID
    seq: int
    outcome: Literal["created", "repeated", "amended"]


class WidgetRoute(SimpleRequestRoute):
    """Puts the CORS headers on every answer, refusals too, so that the page can read why."""

    async def admit(self, request: Request, now: datetime) -> Caller:
        services = services_of(request)
        caller = await services.keyring.caller(request.query_params.get("key", ""), now)
        services.public_rate_limit.spend(caller.key_id)
        _check_origin(caller, request.headers.get("origin"))
        return caller

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_with_cors(request: Request) -> Response:
            try:
                reply = await handle(request)
            except (DomainError, Refused, RequestValidationError) as error:
                reply = await answer_for(request, error)
            reply.headers.update(_cors(request))
            return reply

        return handle_with_cors


async def record_widget_response(body: WidgetResponse, request: Request) -> Response:
    """Whole, or in parts: the score first, the comment when it has been written.

    A part may leave out what an earlier one has said, the score too, and parts may overtake one another. The first to
    arrive needs the score, so a page repeats it until a part was acknowledged.
    """
    caller, now = admitted(request).caller, admitted(request).now
    if len(await request.body()) > BODY_LIMIT_BYTES:
        raise Refused("body_too_large", f"A widget sends at most {BODY_LIMIT_BYTES} bytes.")
    response = _new_response(body, caller, now)
    if body.answers:
        await _keep_answers(response, body.answers, request)
    response.number_part(body.seq)
    recorded = await services_of(request).recorder.submit(caller.workspace_id, response)
    told = {"client_ref": body.client_ref, "seq": body.seq, "outcome": recorded.what}
    status = 201 if recorded.what is What.CREATED else 200
    return Response(to_json(told), status_code=status, media_type="application/json")


async def allow_widget_requests(request: Request) -> Response:
    """For pages that send application/json all the same and therefore ask first."""
    return Response(status_code=204, headers={**_cors(request), **PREFLIGHT})


def _check_origin(caller: Caller, origin: str | None) -> None:
    if caller.kind != KeyKind.PUBLISHABLE:
        raise Refused("publishable_key_needed", "A secret key must never be in a page. Revoke it now.")
    if EVERYTHING not in caller.allowed_origins and origin not in caller.allowed_origins:
        raise Refused("origin_not_allowed", f"This key does not allow the origin {origin}.")


def _new_response(body: WidgetResponse, caller: Caller, now: datetime) -> NewResponse:
    """Nobody vouches for who sits there: no recipient, no slot but its own."""
    return NewResponse(
        workspace_id=caller.workspace_id,
        id=new_id(now),
        event_id=new_id(now),
        campaign_id=body.campaign_id,
        score=body.score,
        channel=body.channel,
        answered_at=now,
        received_at=now,
        comment=body.comment,
        language=body.language,
        may_contact=body.may_contact,
        properties=to_json(body.properties).decode() if body.properties else "{}",
        client_ref=body.client_ref,
        client_key_id=caller.key_id,
        actor=ids.shown("api_key", caller.key_id),
    )


async def _keep_answers(response: NewResponse, said: Mapping[str, Any], request: Request) -> None:
    """None of them where there is no such campaign, which recording says."""
    async with services_of(request).engine.read() as tx:
        found = await questions_asked_now(tx, response.workspace_id, [response.campaign_id])
    for asked in found.values():
        answers = merged_answers({}, fitting_answers(asked.questions, said))
        response.asked_version = asked.survey_version
        response.answers = to_json(answers).decode() if answers else None


def _cors(request: Request) -> dict[str, str]:
    """Which origin may post is decided by the key; the answer says nothing that another page should not read."""
    return {"access-control-allow-origin": request.headers.get("origin", "*"), "vary": "origin"}
