"""Setting the clocks of reminders and expiry anew, after a campaign's blackouts, reminders or expiry were changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.asking.asking import Asking
from app.domain.asking.blackouts import Blackouts
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.reminders import expires_at, next_reminder
from app.operations.invitations.wake import wake_campaigns
from app.queries.asking_campaigns import read_campaigns_of
from app.queries.eligibility import read_rules

AT_ONCE = 5_000
KEPT = ("blackouts", "reminders", "expires_after_days")  # what clocks go by

Row = Mapping[str, Any]


def has_other_clocks(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
    return bool(before and after) and any((before or {}).get(name) != (after or {}).get(name) for name in KEPT)


async def note_stale_clocks(tx: Tx, workspace_id: UUID, campaign_id: UUID) -> None:
    """Of whatever was sent; a worker sets them."""
    await fetch(tx, _NOTE, workspace_id, campaign_id)


async def set_clocks_anew(tx: Tx, *, now: datetime, limit: int = AT_ONCE) -> int:
    """One batch, of whichever campaigns; says how many there were."""
    rows = await fetch(tx, _LOCK_STALE, limit)
    of_campaigns, _ = await read_campaigns_of(tx, rows)
    for campaign, its_rows in of_campaigns:
        await _set_clocks(tx, campaign, its_rows, now=now)
    await fetch(tx, _FORGET, [row["workspace_id"] for row in rows], [row["id"] for row in rows])
    return len(rows)


async def _set_clocks(tx: Tx, campaign: AskingCampaign, stale: Sequence[Row], *, now: datetime) -> None:
    rows = [row for row in stale if row["asked_at"] is not None]  # what did not leave after all has none yet
    rules = await read_rules(tx, campaign, [row["recipient_id"] for row in rows], now=now)
    blackouts_of = [rules[row["recipient_id"]].blackouts for row in rows]
    dues = [_due(campaign.asking, row, blackouts) for row, blackouts in zip(rows, blackouts_of, strict=True)]
    ends = [
        expires_at(campaign.asking.reminders, asked_at=row["asked_at"], blackouts=blackouts)
        for row, blackouts in zip(rows, blackouts_of, strict=True)
    ]
    await fetch(tx, _SET, campaign.workspace_id, [row["id"] for row in rows], dues, ends)
    await wake_campaigns(tx, [(campaign.workspace_id, campaign.id, due_at) for due_at in dues])


def _due(asking: Asking, row: Row, blackouts: Blackouts) -> datetime | None:
    """Of the next reminder; links that somebody else sends have none, nor has what perhaps was never sent."""
    if row["channel"] != "email" or row["state"] != "sent" or row["is_cancelled"]:
        return None
    return next_reminder(
        asking.reminders, asked_at=row["asked_at"], sent=row["reminder_count"],
        last_sent_at=row["last_sent_at"] or row["asked_at"], blackouts=blackouts,
    )  # fmt: skip


# All of them, so it waits for who holds some: in the order of ids, as everybody does who waits.
_NOTE = """
    WITH asked AS MATERIALIZED (
        SELECT id FROM invitations
        WHERE workspace_id = $1 AND campaign_id = $2 AND state IN ('sending', 'sent', 'unknown')
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE invitations v SET is_clock_stale = true FROM asked a WHERE v.workspace_id = $1 AND v.id = a.id
"""
_LOCK_STALE = """
    WITH locked AS MATERIALIZED (
        SELECT workspace_id, campaign_id, id, recipient_id, channel, state, asked_at, reminder_count,
            is_cancelled
        FROM invitations WHERE is_clock_stale AND claim_id IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    SELECT v.*, (
        SELECT max(coalesce(m.settled_at, m.created_at)) FROM messages m
        WHERE m.workspace_id = v.workspace_id AND m.invitation_id = v.id AND m.state <> 'failed'
    ) AS last_sent_at
    FROM locked v
"""
_SET = f"""
    UPDATE invitations v SET due_at = g.due_at, expires_at = g.expires_at, {next_revision("v")}
    FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS g (id, due_at, expires_at)
    WHERE v.workspace_id = $1 AND v.id = g.id AND v.state IN ('sent', 'unknown')
"""
_FORGET = """
    UPDATE invitations v SET is_clock_stale = false
    FROM unnest($1::uuid[], $2::uuid[]) AS g (workspace_id, id)
    WHERE v.workspace_id = g.workspace_id AND v.id = g.id
"""
