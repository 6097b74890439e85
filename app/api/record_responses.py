"""Answers coming in: one at a time, or up to five hundred."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import ValidationError
from pydantic_core import to_json

from app.api.bulk import refused_row
from app.api.dependencies import caller_with, services_of
from app.api.hot_route import HotRoute, admitted
from app.api.idempotency import read_idempotency_key
from app.api.query_strings import QueryString
from app.api.response_models import ResponseBulk, ResponseInput
from app.db.identifiers import new_id
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.people.recipient import RecipientInput
from app.domain.response import answered_instant, is_news
from app.domain.survey.answers import check_answers, merged_answers
from app.operations.responses.new_response import NewResponse, Recorded, What
from app.queries.api_keys import Caller
from app.queries.survey_questions import AskedNow, questions_asked_now

ROUTE, BULK_ROUTE = b"POST /v1/responses\n", b"POST /v1/responses/bulk\n"
JSON = "application/json"
NO_PARAMETERS = QueryString()


class RecordingRoute(HotRoute):
    async def admit(self, request: Request, now: datetime) -> Caller:
        caller = await caller_with("responses:write", request, now=now)
        NO_PARAMETERS.check(request)
        return caller


async def record_response(body: ResponseInput, request: Request) -> Response:
    caller, now = admitted(request).caller, admitted(request).now
    response = new_response(body, caller, now, await _asked_in([body], request, caller))
    await _note_idempotency_key(response, request, caller)
    recorded = await services_of(request).recorder.submit(caller.workspace_id, response)
    status = 201 if recorded.what is What.CREATED else 200
    return Response(to_json(shown_response(recorded)), status_code=status, media_type=JSON)


async def record_responses_in_bulk(body: ResponseBulk, request: Request) -> Response:
    """Each row has an end of its own. Sent again under the same Idempotency-Key, with the same rows in the same order,
    it stores those that are not here yet; the others are `repeated`.
    """
    caller, now = admitted(request).caller, admitted(request).now
    rows, outcomes = _read_rows(body)
    asked = await _asked_in(rows.values(), request, caller)
    key, taken = read_idempotency_key(request), dict[int, NewResponse]()
    for index, row in rows.items():
        try:
            taken[index] = new_response(row, caller, now, asked)
        except DomainError as error:
            outcomes[index] = error
        else:
            if key is not None:
                _note_row_key(taken[index], caller, place=f"{key}\n{index}", sent=body.responses[index])
    if taken:
        recorded = await services_of(request).recorder.submit_all(caller.workspace_id, list(taken.values()))
        outcomes |= zip(taken, recorded, strict=True)
    return Response(to_json(_bulk_reply([outcomes[index] for index in range(len(body.responses))])), media_type=JSON)


def _read_rows(body: ResponseBulk) -> tuple[dict[int, ResponseInput], dict[int, Recorded | Exception]]:
    """By their place: those that can be read, and why the others cannot."""
    rows: dict[int, ResponseInput] = {}
    refused: dict[int, Recorded | Exception] = {}
    for index, item in enumerate(body.responses):
        try:
            rows[index] = ResponseInput.model_validate(item)
        except ValidationError as error:
            refused[index] = error
    return rows, refused


async def _asked_in(rows: Collection[ResponseInput], request: Request, caller: Caller) -> Mapping[UUID, AskedNow]:
    """What the campaigns ask, read only where there are answers to more than the score."""
    campaign_ids = {row.campaign_id for row in rows if row.answers}
    if not campaign_ids:
        return {}
    async with services_of(request).engine.read() as tx:
        return await questions_asked_now(tx, caller.workspace_id, campaign_ids)


def new_response(body: ResponseInput, caller: Caller, now: datetime, asked: Mapping[UUID, AskedNow]) -> NewResponse:
    """Raises what is wrong with it as far as that can be told without its campaign and its recipient."""
    answered_at = answered_instant(body.answered_at, now=now)
    answers, asked_version = _fitting(body, asked.get(body.campaign_id))
    return NewResponse(
        workspace_id=caller.workspace_id,
        id=new_id(now),
        event_id=new_id(now),
        campaign_id=body.campaign_id,
        score=body.score,
        channel=body.channel,
        answered_at=answered_at,
        received_at=now,
        recipient_id=body.recipient_id,
        recipient=_person(body, caller),
        comment=body.comment,
        language=body.language,
        may_contact=body.may_contact,
        properties=to_json(body.properties).decode() if body.properties else "{}",
        occasion=body.occasion,
        asked_version=asked_version,
        answers=answers,
        import_id=body.import_id,
        is_news=body.notify or is_news(answered_at, now=now),
        if_answered=body.if_answered,
        actor=ids.shown("api_key", caller.key_id),
    )


def _fitting(body: ResponseInput, asked: AskedNow | None) -> tuple[str | None, int | None]:
    """(answers as JSON, the version of the survey they were checked against). Raises AnswersInvalid."""
    if not body.answers or asked is None:  # where there is no campaign, recording says so
        return None, None
    answers = merged_answers({}, check_answers(asked.questions, body.answers))
    return (to_json(answers).decode() if answers else None), asked.survey_version


def _person(body: ResponseInput, caller: Caller) -> RecipientInput | None:
    if body.recipient is None:
        return None
    try:
        return body.recipient.said(caller.workspace_id)
    except DomainError as error:
        error.pointer = f"/recipient{error.pointer or ''}"
        raise


async def _note_idempotency_key(response: NewResponse, request: Request, caller: Caller) -> None:
    """The response row itself is the memory of the key: found again by its digest, told apart by the body's."""
    key = read_idempotency_key(request)
    if key is None:
        return
    response.idempotency_key = _digest(caller.key_id.bytes + ROUTE + key.encode())
    response.request_digest = _digest(await request.body())


def _note_row_key(response: NewResponse, caller: Caller, *, place: str, sent: Any) -> None:
    """Each row is remembered by itself, so that a repeat finds those that were stored and stores the others."""
    response.idempotency_key = _digest(caller.key_id.bytes + BULK_ROUTE + place.encode())
    response.request_digest = _digest(json.dumps(sent, sort_keys=True).encode())


def _digest(text: bytes) -> UUID:
    return UUID(bytes=hashlib.sha256(text).digest()[:16])


def shown_response(recorded: Recorded) -> dict[str, Any]:
    """`RecordedResponse` without going through a model: this is the hot path. A test compares the two."""
    recipient_id = recorded.recipient_id
    return {
        "id": ids.shown("response", recorded.id),
        "campaign_id": ids.shown("campaign", recorded.campaign_id),
        "survey_version": recorded.survey_version,
        "recipient_id": None if recipient_id is None else ids.shown("recipient", recipient_id),
        "channel": recorded.channel,
        "score": recorded.score,
        "band": recorded.band,
        "comment": recorded.comment,
        "answered_at": recorded.answered_at,
        "revision": recorded.revision,
        "outcome": recorded.what,
    }


def _bulk_reply(outcomes: Sequence[Recorded | Exception]) -> Mapping[str, Any]:
    results = [_bulk_result(index, outcome) for index, outcome in enumerate(outcomes)]
    ends = Counter(outcome.what if isinstance(outcome, Recorded) else "rejected" for outcome in outcomes)
    return {**{end: ends[end] for end in (*What, "rejected")}, "results": results}


def _bulk_result(index: int, outcome: Recorded | Exception) -> dict[str, Any]:
    if isinstance(outcome, Recorded):
        status = 201 if outcome.what is What.CREATED else 200
        return {"index": index, "status": status, "response": shown_response(outcome)}
    if isinstance(outcome, DomainError | ValidationError):
        return {"index": index, **refused_row(outcome)}
    raise outcome
