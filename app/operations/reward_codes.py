"""The pool of codes of a campaign: filled by uploads, emptied one person at a time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, until_unraced
from app.domain.campaign import CampaignIsAnonymous
from app.domain.response import ResponseNotFound
from app.domain.survey.reward_codes import RewardCodesExhausted
from app.queries.campaigns import get_campaign
from app.queries.responses import find_response


async def add_codes(tx: Tx, workspace_id: UUID, campaign_id: UUID, codes: Sequence[str]) -> int:
    """How many were new: those that are there already, given or not, stay as they are. Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    return len(await fetch(tx, _ADD, workspace_id, campaign_id, list(codes)))


async def drop_codes(tx: Tx, workspace_id: UUID, campaign_id: UUID) -> None:
    """Those that nobody has been given. Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    await fetch(tx, _DROP, workspace_id, campaign_id)


async def give_code_for_response(tx: Tx, workspace_id: UUID, response_id: UUID, *, now: datetime) -> str:
    """Raises ResponseNotFound, CampaignIsAnonymous, RewardCodesExhausted."""
    response = await find_response(tx, workspace_id, response_id)
    if response is None:
        raise ResponseNotFound("There is no response with this id.")
    if (await get_campaign(tx, workspace_id, response["campaign_id"]))["is_anonymous"]:
        raise CampaignIsAnonymous("A code would lead from whoever redeems it to this answer.")
    holder_id = response["recipient_id"] or response_id
    code = await give_code(tx, workspace_id, response["campaign_id"], holder_id=holder_id, now=now)
    if code is None:
        raise RewardCodesExhausted("All codes of this campaign have been given; upload more.")
    return code


async def give_code(tx: Tx, workspace_id: UUID, campaign_id: UUID, *, holder_id: UUID, now: datetime) -> str | None:
    """One code for each holder, the same whenever they come back; None where none is left.

    The holder is the recipient, or the response of somebody unknown; of an anonymous link what reward_holder says.
    Codes are given in no order, lest the sixth one lead to the sixth answer.
    """

    async def attempt(_: bool) -> str | None:  # noqa: FBT001 - until_unraced calls it so
        held = await fetch(tx, _HELD, workspace_id, campaign_id, holder_id)
        if held:
            return str(held[0]["code"])
        given = await fetch(tx, _GIVE, workspace_id, campaign_id, holder_id, now)
        return str(given[0]["code"]) if given else None

    return await until_unraced(tx, attempt)


_ADD = """
    INSERT INTO reward_codes (workspace_id, campaign_id, code)
    SELECT $1::uuid, $2::uuid, code FROM unnest($3::text[]) AS code
    ON CONFLICT DO NOTHING RETURNING 1
"""
_DROP = "DELETE FROM reward_codes WHERE workspace_id = $1 AND campaign_id = $2 AND holder_id IS NULL"
_HELD = "SELECT code FROM reward_codes WHERE workspace_id = $1 AND campaign_id = $2 AND holder_id = $3"
# Of two tabs of one person one loses on the unique index of holders, and finds what the other was given. Materialised,
# because a join may run a subquery again for each row, and each time another row would be free.
_GIVE = """
    WITH free AS MATERIALIZED (
        SELECT code FROM reward_codes
        WHERE workspace_id = $1 AND campaign_id = $2 AND holder_id IS NULL
        ORDER BY place LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE reward_codes c SET holder_id = $3, given_at = $4 FROM free
    WHERE c.workspace_id = $1 AND c.campaign_id = $2 AND c.code = free.code
    RETURNING c.code
"""
