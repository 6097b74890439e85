"""Codes for everybody who answers: uploaded, counted, given one to a person."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request as HttpRequest
from pydantic import Field, StringConstraints

from app.api.dependencies import CampaignReader, CampaignWriter, Now, ReadTx, ResponseWriter, Tx
from app.api.problem_types import refuses
from app.api.problems import Refused
from app.api.routing import router
from app.api.schemas import CampaignId, Reply, Request, ResponseId
from app.domain.campaign import CampaignIsAnonymous, CampaignNotFound
from app.domain.response import ResponseNotFound
from app.domain.survey.reward_codes import (
    LONGEST_CODE,
    MOST_CODES,
    RewardCodesExhausted,
    RewardCodesInvalid,
    checked_codes,
    read_codes,
)
from app.operations.reward_codes import add_codes, drop_codes, give_code_for_response
from app.queries.reward_codes import reward_pool

routes = router("campaigns")
PLACE = "/v1/campaigns/{campaign_id}/codes"
ARE_JSON_LINES = {
    "text/csv": False, "application/csv": False, "application/x-ndjson": True, "application/ndjson": True,
    "application/jsonl": True,
}  # fmt: skip
A_FILE = {"type": "string", "minLength": 1}
FILE: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": A_FILE, "example": "code\nTHANKS-7F3K\nTHANKS-9QX2\n"},
            "application/x-ndjson": {"schema": A_FILE, "example": '{"code":"THANKS-7F3K"}\n{"code":"THANKS-9QX2"}\n'},
        },
    }
}


class RewardCodes(Request):
    codes: list[Annotated[str, StringConstraints(max_length=LONGEST_CODE)]] = Field(
        min_length=1, max_length=MOST_CODES, examples=[["THANKS-7F3K", "THANKS-9QX2"]]
    )


class RewardPool(Reply):
    total: int
    given: int
    left: int


class AddedRewardCodes(Reply):
    added: int
    already: int = Field(description="Those that were there before, given or not.")
    pool: RewardPool


class GivenRewardCode(Reply):
    code: str = Field(examples=["THANKS-7F3K"])


@routes.post(PLACE, summary="Upload reward codes", responses=refuses(CampaignNotFound, RewardCodesInvalid))
async def add_reward_codes(
    campaign_id: CampaignId, body: RewardCodes, caller: CampaignWriter, tx: Tx
) -> AddedRewardCodes:
    """Each is given to one person who answers, whatever they answered: no code can be kept for one band, because
    whoever pays promoters has bought their score. Sent twice, a code is there once."""
    return await _add(tx, caller.workspace_id, campaign_id, checked_codes(body.codes))


@routes.post(
    f"{PLACE}/upload",
    summary="Upload a file of reward codes",
    openapi_extra=dict(FILE),
    responses=refuses(CampaignNotFound, RewardCodesInvalid, "unsupported_media_type", "body_missing"),
)
async def upload_reward_codes(
    campaign_id: CampaignId, caller: CampaignWriter, tx: Tx, request: HttpRequest
) -> AddedRewardCodes:
    """The first column of a CSV, or JSON lines of texts or of objects with a `code`; at most 10,000 at once."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ARE_JSON_LINES:
        raise Refused(
            "unsupported_media_type", f"Send text/csv or application/x-ndjson, not {media_type or 'nothing'}."
        )
    raw = await request.body()
    if not raw:
        raise Refused("body_missing", "Send the file as the body of the request.")
    codes = read_codes(raw, is_json_lines=ARE_JSON_LINES[media_type])
    return await _add(tx, caller.workspace_id, campaign_id, codes)


@routes.get(PLACE, summary="Count the reward codes that are left", responses=refuses(CampaignNotFound))
async def get_reward_pool(campaign_id: CampaignId, caller: CampaignReader, tx: ReadTx) -> RewardPool:
    return RewardPool.model_validate(await reward_pool(tx, caller.workspace_id, campaign_id))


@routes.delete(
    PLACE, status_code=204, summary="Drop the reward codes that nobody has", responses=refuses(CampaignNotFound)
)
async def drop_reward_codes(campaign_id: CampaignId, caller: CampaignWriter, tx: Tx) -> None:
    """Whoever was given one keeps it."""
    await drop_codes(tx, caller.workspace_id, campaign_id)


@routes.post(
    "/v1/responses/{response_id}/code",
    summary="Give a reward code to whoever answered",
    responses=refuses(ResponseNotFound, CampaignIsAnonymous, RewardCodesExhausted),
)
async def give_reward_code(response_id: ResponseId, caller: ResponseWriter, tx: Tx, now: Now) -> GivenRewardCode:
    """The same code again for the same person, or for the same response where nobody knows whose it is.
    None for answers of anonymous campaigns: their pages show the code, and nothing leads from it to the answer."""
    return GivenRewardCode(code=await give_code_for_response(tx, caller.workspace_id, response_id, now=now))


async def _add(tx: Tx, workspace_id: UUID, campaign_id: UUID, codes: Sequence[str]) -> AddedRewardCodes:
    added = await add_codes(tx, workspace_id, campaign_id, codes)
    pool = RewardPool.model_validate(await reward_pool(tx, workspace_id, campaign_id))
    return AddedRewardCodes(added=added, already=len(codes) - added, pool=pool)
