"""Answers that are here: read, amended, excluded, restored, deleted."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.dependencies import Now, ReadTx, ResponseReader, ResponseWriter, Tx
from app.api.pagination import AnyOrder, listing
from app.api.problem_types import refuses
from app.api.response_models import (
    ExclusionInput,
    ResponseChange,
    ResponseReply,
    RestorationInput,
    RevisionReply,
)
from app.api.routing import router
from app.api.schemas import CampaignId, Instant, Listing, Name, RecipientId, ResponseId
from app.db import engine as database
from app.domain import ids
from app.domain.response import Channel, ResponseNotFound
from app.domain.scores.metric import Band, ScoreOutOfRange
from app.domain.survey.answers import AnswersInvalid
from app.operations.responses import change
from app.queries import responses as queries
from app.queries.api_keys import Caller

routes = router("responses")


async def _filter(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    campaign_id: CampaignId | None = None,
    recipient_id: RecipientId | None = None,
    channel: Channel | None = None,
    band: Band | None = None,
    lowest_score: Annotated[int | None, Query(ge=0, le=10)] = None,
    highest_score: Annotated[int | None, Query(ge=0, le=10)] = None,
    has_comment: bool | None = None,  # noqa: FBT001 - a query parameter
    is_excluded: bool | None = None,  # noqa: FBT001 - a query parameter
    answered_from: Annotated[Instant | None, Query(description="From this instant on.")] = None,
    answered_until: Annotated[Instant | None, Query(description="Up to, but not including, this instant.")] = None,
    import_id: Name | None = None,
    occasion: Name | None = None,
) -> queries.ResponseFilter:
    return queries.ResponseFilter(
        campaign_id=campaign_id,
        recipient_id=recipient_id,
        channel=channel,
        band=band,
        lowest_score=lowest_score,
        highest_score=highest_score,
        has_comment=has_comment,
        is_excluded=is_excluded,
        answered_from=answered_from,
        answered_until=answered_until,
        import_id=import_id,
        occasion=occasion,
    )


@routes.get("/v1/responses", summary="List responses", response_model=Listing[ResponseReply])
async def list_responses(
    caller: ResponseReader,
    tx: ReadTx,
    page: AnyOrder,
    wanted: Annotated[queries.ResponseFilter, Depends(_filter)],
    request: Request,
    response: Response,
) -> Mapping[str, Any]:
    found = await queries.list_responses(tx, caller.workspace_id, wanted, page)
    return listing(request, response, found, [ResponseReply.of(row) for row in found.rows])


@routes.get("/v1/responses/{response_id}", summary="Read a response", responses=refuses(ResponseNotFound))
async def get_response(response_id: ResponseId, caller: ResponseReader, tx: ReadTx) -> ResponseReply:
    return await _read(tx, caller, response_id)


@routes.get(
    "/v1/responses/{response_id}/revisions",
    summary="Read what a response said before",
    responses=refuses(ResponseNotFound),
)
async def list_response_revisions(
    response_id: ResponseId, caller: ResponseReader, tx: ReadTx
) -> Listing[RevisionReply]:
    await _read(tx, caller, response_id)
    kept = await queries.list_revisions(tx, caller.workspace_id, response_id)
    return Listing(data=[RevisionReply.model_validate(dict(row)) for row in kept])


@routes.patch(
    "/v1/responses/{response_id}",
    summary="Amend a response",
    responses=refuses(ResponseNotFound, ScoreOutOfRange, AnswersInvalid),
)
async def amend_response(
    response_id: ResponseId, body: ResponseChange, caller: ResponseWriter, tx: Tx, now: Now
) -> ResponseReply:
    changes = {name: getattr(body, name) for name in body.model_fields_set - {"reason"}}
    await change.amend_response(
        tx, caller.workspace_id, response_id, changes=changes, actor=_actor(caller), reason=body.reason, now=now
    )
    return await _read(tx, caller, response_id)


@routes.post(
    "/v1/responses/{response_id}/exclude",
    summary="Keep a response, but no longer count it",
    responses=refuses(ResponseNotFound, change.ExclusionRefused),
)
async def exclude_response(
    response_id: ResponseId, body: ExclusionInput, caller: ResponseWriter, tx: Tx, now: Now
) -> ResponseReply:
    await change.exclude_response(
        tx, caller.workspace_id, response_id, reason=body.reason, actor=_actor(caller), now=now
    )
    return await _read(tx, caller, response_id)


@routes.post(
    "/v1/responses/{response_id}/restore",
    summary="Count an excluded response again",
    responses=refuses(ResponseNotFound, change.ExclusionRefused),
)
async def restore_response(
    response_id: ResponseId, body: RestorationInput, caller: ResponseWriter, tx: Tx, now: Now
) -> ResponseReply:
    await change.restore_response(
        tx, caller.workspace_id, response_id, reason=body.reason, actor=_actor(caller), now=now
    )
    return await _read(tx, caller, response_id)


@routes.delete(
    "/v1/responses/{response_id}",
    status_code=204,
    summary="Delete a response for good",
    responses=refuses(ResponseNotFound),
)
async def delete_response(response_id: ResponseId, caller: ResponseWriter, tx: Tx, now: Now) -> None:
    await change.delete_response(tx, caller.workspace_id, response_id, now=now)


async def _read(tx: database.Tx | database.ReadTx, caller: Caller, response_id: UUID) -> ResponseReply:
    row = await queries.find_response(tx, caller.workspace_id, response_id)
    if row is None:
        raise ResponseNotFound("There is no response with this id.")
    return ResponseReply.of(row)


def _actor(caller: Caller) -> str:
    return ids.shown("api_key", caller.key_id)
