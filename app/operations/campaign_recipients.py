"""Who belongs to a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, text, update

from app.db.engine import Tx
from app.db.tables import campaign_recipients, campaigns
from app.domain.campaign import CampaignState, check_edit
from app.domain.errors import NotFound
from app.queries.campaigns import get_campaign

TAKEN_IN_AFTER = timedelta(seconds=30)
AT_HAND = timedelta(seconds=5)  # clocks differ


class CampaignRecipientNotFound(NotFound):
    """The recipient does not belong to the campaign."""

    code = "campaign_recipient_not_found"


class Addition(StrEnum):
    ADDED = "added"
    ALREADY = "already"
    UNKNOWN = "unknown"  # never there, deleted, or another workspace's: nobody is told which


@dataclass(frozen=True, slots=True)
class Added:
    recipient_id: UUID
    result: Addition


async def add_recipients(
    tx: Tx, workspace_id: UUID, campaign_id: UUID, recipient_ids: Sequence[UUID], *, now: datetime
) -> list[Added]:
    """One result for each id, in order, an id given twice only once. Raises CampaignNotFound, CampaignFieldFixed."""
    await tx.execute(_HOLD_DRAFT, {"workspace_id": workspace_id, "campaign_id": campaign_id})
    campaign = await get_campaign(tx, workspace_id, campaign_id)
    check_edit(CampaignState(campaign["state"]), changed=["recipient_ids"])
    distinct = list(dict.fromkeys(recipient_ids))
    place = {"workspace_id": workspace_id, "campaign_id": campaign_id, "ids": distinct, "now": now}
    known = {row.id: Addition.ADDED if row.is_new else Addition.ALREADY for row in await tx.execute(_ADD, place)}
    if not campaign["has_list"]:  # though nobody of them is known, or has been imported yet
        await _note_list(tx, workspace_id, campaign_id, has_list=True)
    if Addition.ADDED in known.values():
        await tx.execute(_LOOK_SOON, {**place, "soon": now + TAKEN_IN_AFTER, "at_hand": now + AT_HAND})
    return [Added(recipient_id, known.get(recipient_id, Addition.UNKNOWN)) for recipient_id in distinct]


async def remove_recipient(tx: Tx, workspace_id: UUID, campaign_id: UUID, recipient_id: UUID) -> None:
    """Raises CampaignNotFound, CampaignFieldFixed, CampaignRecipientNotFound."""
    await tx.execute(_HOLD_DRAFT, {"workspace_id": workspace_id, "campaign_id": campaign_id})
    campaign = await get_campaign(tx, workspace_id, campaign_id)
    check_edit(CampaignState(campaign["state"]), changed=["recipient_ids"])
    table = campaign_recipients.c
    gone = await tx.execute(
        delete(campaign_recipients).where(
            table.workspace_id == workspace_id, table.campaign_id == campaign_id, table.recipient_id == recipient_id
        )
    )
    if gone.rowcount == 0:
        raise CampaignRecipientNotFound("This campaign has no recipient with this id.")
    if campaign["state"] == CampaignState.DRAFT:
        anybody = select(table.recipient_id).where(table.workspace_id == workspace_id, table.campaign_id == campaign_id)
        await _note_list(tx, workspace_id, campaign_id, has_list=anybody.exists())


async def _note_list(tx: Tx, workspace_id: UUID, campaign_id: UUID, *, has_list: bool | ColumnElement[bool]) -> None:
    """An empty list is one too: whoever erases the last of it does not mean to ask everybody. Only of a draft, who
    takes them all off again wants none."""
    ours = campaigns.c.workspace_id == workspace_id, campaigns.c.id == campaign_id
    await tx.execute(update(campaigns).where(*ours).values(has_list=has_list))


# Before it is looked at: whether anybody is left on it is seen by one editor at a time, and by none beside a launch.
_HOLD_DRAFT = text("""
    SELECT 1 FROM campaigns WHERE workspace_id = :workspace_id AND id = :campaign_id AND state = 'draft'
    FOR NO KEY UPDATE
""")
# An open wave takes them in. Not after each of the many batches of an import. Where its planner may be at work at this
# moment, and see nothing of them, it is waited for.
_LOOK_SOON = text("""
    UPDATE campaigns SET plan_due_at = least(plan_due_at, :soon)
    WHERE workspace_id = :workspace_id AND id = :campaign_id AND state = 'running' AND asking IS NOT NULL
        AND (coalesce(plan_due_at, 'infinity') > :soon OR plan_due_at < :at_hand)
""")
# In the order of ids, so that two callers who add the same people wait for each other instead of deadlocking.
_ADD = text("""
    WITH known AS (
        SELECT id FROM recipients
        WHERE workspace_id = :workspace_id AND id = ANY(CAST(:ids AS uuid[])) AND deleted_at IS NULL
    ), added AS (
        INSERT INTO campaign_recipients (workspace_id, campaign_id, recipient_id, added_at)
        SELECT :workspace_id, :campaign_id, id, :now FROM known ORDER BY id
        ON CONFLICT DO NOTHING
        RETURNING recipient_id
    )
    SELECT known.id, added.recipient_id IS NOT NULL AS is_new
    FROM known LEFT JOIN added ON added.recipient_id = known.id
""")
