"""Who belongs to a campaign."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request as HttpRequest
from fastapi import Response
from pydantic import Field

from app.api.dependencies import CampaignReader, CampaignWriter, Now, ReadTx, Tx
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, Instant, Listing, RecipientId, Reply, Request
from app.domain.campaign import CampaignFieldFixed, CampaignNotFound
from app.operations.campaign_recipients import Addition, CampaignRecipientNotFound, add_recipients, remove_recipient
from app.queries import campaign_recipients as queries

routes = router("campaigns")
PLACE = "/v1/campaigns/{campaign_id}/recipients"


class CampaignRecipientsAdd(Request):
    recipient_ids: Annotated[list[RecipientId], Field(min_length=1, max_length=500)]


class AddedRecipient(Reply):
    recipient_id: RecipientId
    result: Addition


class AddedRecipients(Reply):
    added: int
    already: int
    unknown: int
    results: list[AddedRecipient] = Field(description="One for each id sent, in order; an id sent twice counts once.")


class CampaignRecipient(Reply):
    recipient_id: RecipientId
    added_at: Instant


@routes.post(
    PLACE, summary="Add up to 500 recipients to a campaign", responses=refuses(CampaignNotFound, CampaignFieldFixed)
)
async def add_campaign_recipients(
    campaign_id: CampaignId, body: CampaignRecipientsAdd, caller: CampaignWriter, tx: Tx, now: Now
) -> AddedRecipients:
    """Sent twice, it adds nobody twice."""
    results = await add_recipients(tx, caller.workspace_id, campaign_id, body.recipient_ids, now=now)
    counts = Counter(one.result.value for one in results)
    return AddedRecipients.model_validate(
        {**{result.value: counts[result.value] for result in Addition}, "results": results}
    )


@routes.get(
    PLACE,
    response_model=Listing[CampaignRecipient],
    summary="List a campaign's recipients",
    responses=refuses(CampaignNotFound),
)
async def list_campaign_recipients(
    campaign_id: CampaignId,
    caller: CampaignReader,
    tx: ReadTx,
    page: NewestFirst,
    request: HttpRequest,
    response: Response,
) -> Mapping[str, Any]:
    found = await queries.list_campaign_recipients(tx, caller.workspace_id, campaign_id, page)
    members = [CampaignRecipient(recipient_id=row["id"], added_at=row["added_at"]) for row in found.rows]
    return listing(request, response, found, members)


@routes.delete(
    f"{PLACE}/{{recipient_id}}",
    status_code=204,
    summary="Remove a recipient from a campaign",
    responses=refuses(CampaignNotFound, CampaignFieldFixed, CampaignRecipientNotFound),
)
async def remove_campaign_recipient(
    campaign_id: CampaignId, recipient_id: RecipientId, caller: CampaignWriter, tx: Tx
) -> None:
    """Nobody is deleted, and no answer is lost."""
    await remove_recipient(tx, caller.workspace_id, campaign_id, recipient_id)
