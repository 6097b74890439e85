"""Making invitations: as many as there are people, in one statement, and none twice for the same slot."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.asking.eligibility import PASSING, Reason
from app.domain.asking.invitation import AskingCampaign

# An answer may be deleted: whoever plans again has found none.
PASSING_REASONS = ", ".join(f"'{reason.value}'" for reason in (*PASSING, Reason.ALREADY_ANSWERED))


async def insert_wave(
    tx: Tx, campaign: AskingCampaign, recipient_ids: Sequence[UUID], *, wave: int, latest_at: datetime, now: datetime
) -> None:
    """Not scheduled yet."""
    place = campaign.workspace_id, campaign.id
    await fetch(
        tx, _INSERT_WAVE, *place, list(recipient_ids), f"wave:{wave}", wave, campaign.survey_version, latest_at, now
    )  # fmt: skip


async def insert_invitations(
    tx: Tx,
    campaign: AskingCampaign,
    slots: Sequence[tuple[UUID, str]],
    *,
    touchpoint_ids: Sequence[UUID | None] | None = None,
    now: datetime,
) -> None:
    """By recipient and slot, outside any wave. Not scheduled yet."""
    if slots:
        await fetch(
            tx, _INSERT, campaign.workspace_id, campaign.id, [recipient_id for recipient_id, _ in slots],
            [slot for _, slot in slots], touchpoint_ids or [None] * len(slots), campaign.survey_version, now,
        )  # fmt: skip


# What was released because a campaign changed its mind is wanted again, and what was skipped for a reason that may have
# gone, as whoever plans it finds, or found no such address; what was asked is not.
_AGAIN = f"""
    ON CONFLICT (workspace_id, recipient_id, campaign_id, slot)
    DO UPDATE SET state = 'planned', skip_reason = NULL, due_at = NULL, latest_at = excluded.latest_at,
        bounced_at = NULL, {next_revision("invitations")}
    WHERE invitations.state = 'released' OR invitations.asked_at IS NULL AND (
        invitations.skip_reason = ANY(ARRAY[{PASSING_REASONS}])
        OR invitations.state = 'failed' AND invitations.bounced_at IS NOT NULL
    )
"""
_INSERT_WAVE = f"""
    INSERT INTO invitations
        (workspace_id, id, campaign_id, recipient_id, slot, wave, survey_version, latest_at, created_at)
    SELECT $1, uuid_v7($8), $2, recipient_id, $4, $5, $6, $7, $8 FROM unnest($3::uuid[]) AS g (recipient_id)
    {_AGAIN}
"""
_INSERT = f"""
    INSERT INTO invitations
        (workspace_id, id, campaign_id, recipient_id, slot, touchpoint_id, survey_version, created_at)
    SELECT $1, uuid_v7($7), $2, recipient_id, slot, touchpoint_id, $6, $7
    FROM unnest($3::uuid[], $4::text[], $5::uuid[]) AS g (recipient_id, slot, touchpoint_id)
    {_AGAIN}
"""
