"""The code that everybody gets who answers, whatever they answered: given when an answer is sent, shown ever after."""

from uuid import UUID

from fastapi import Request

from app.api.dependencies import services_of
from app.api.public.survey.opened import Opened
from app.api.public.survey.views import text_of
from app.domain.survey.survey_token import reward_holder
from app.operations.reward_codes import give_code
from app.queries.reward_codes import held_code

SAMPLE_CODE = "ABC-123"  # of previews, which give nothing away


async def give_reward(request: Request, opened: Opened) -> None:
    """Not for answers that somebody took out again, lest scanners empty the pool."""
    holder_id = await _holder(request, opened)
    if holder_id is not None:
        link = opened.link
        async with services_of(request).engine.write() as tx:
            await give_code(tx, link.workspace_id, link.campaign_id, holder_id=holder_id, now=opened.noted_at)


async def reward_view(request: Request, opened: Opened) -> dict[str, str] | None:
    """None where there is no code, and then no word of it either."""
    holder_id = await _holder(request, opened)
    if holder_id is None:
        return None
    if opened.is_preview:
        return {"text": text_of(opened, opened.link.survey.reward), "code": SAMPLE_CODE}
    async with services_of(request).engine.read() as tx:
        code = await held_code(tx, opened.link.workspace_id, opened.link.campaign_id, holder_id=holder_id)
    return {"text": text_of(opened, opened.link.survey.reward), "code": code} if code else None


async def _holder(request: Request, opened: Opened) -> UUID | None:
    """The person; of an anonymous campaign the link, which names neither them nor their answer."""
    link = opened.link
    if link.answered is None or link.answered.excluded_reason or not text_of(opened, link.survey.reward):
        return None
    if link.is_anonymous:
        return reward_holder(await services_of(request).survey_link_key.read(), opened.token)
    return link.recipient_id
