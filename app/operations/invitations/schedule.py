"""Giving planned invitations their moment and their variant, in batches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from app.db.engine import Tx
from app.db.spared import AGAIN_AFTER_FAILURE, spared
from app.db.statements import fetch, next_revision
from app.domain.asking.date_slots import day_in
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Wave
from app.domain.asking.scheduling import Turn, schedule, variant_for
from app.domain.ids import shown
from app.domain.scores.period import zone_named
from app.operations.invitations.wake import wake_campaigns
from app.queries.asking_campaigns import read_campaigns_of
from app.queries.best_hours import best_hour_of
from app.queries.planned_asks import turn_after_answer

AT_ONCE = 5_000

log = structlog.get_logger()


async def schedule_invitations(tx: Tx, *, now: datetime, limit: int = AT_ONCE) -> int:
    """One batch, of whichever campaigns; says how many there were. One that fails holds up only itself."""
    rows = await fetch(tx, _LOCK_UNSCHEDULED, now, limit, now - AGAIN_AFTER_FAILURE)
    of_campaigns, orphans = await read_campaigns_of(tx, rows)
    for campaign, its_rows in of_campaigns:
        failed = await spared(tx, partial(_schedule, tx, campaign, its_rows, now=now))
        if isinstance(failed, Exception):
            await _note_failure(tx, campaign, failed, now=now)
    await _release(tx, orphans)
    return len(rows)


async def schedule_invitations_of(
    tx: Tx, campaign: AskingCampaign, touchpoint_ids: Sequence[UUID], *, now: datetime
) -> None:
    """At once, those of these touchpoints."""
    rows = await fetch(tx, _LOCK_OF_TOUCHPOINTS, now, campaign.workspace_id, campaign.id, list(touchpoint_ids))
    await _schedule(tx, campaign, rows, now=now)


async def _schedule(tx: Tx, campaign: AskingCampaign, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    best = await best_hour_of(tx, campaign) if campaign.asking.window.wants_best_hour else None
    appointments = [schedule(campaign.asking, _turn(campaign, row), best=best, now=now) for row in rows]
    variants = [variant_for(campaign.asking, campaign.id, row["recipient_id"]) for row in rows]
    await fetch(
        tx, _SCHEDULE, campaign.workspace_id, [row["id"] for row in rows], [one.due_at for one in appointments],
        [one.latest_at for one in appointments], variants, Reason.WINDOW.value, Reason.TOO_LATE.value, now,
    )  # fmt: skip
    await wake_campaigns(tx, [(campaign.workspace_id, campaign.id, one.due_at) for one in appointments])


def _turn(campaign: AskingCampaign, row: Mapping[str, Any]) -> Turn:
    wave = Wave(row["wave"], row["starts_at"], row["ends_at"]) if row["starts_at"] is not None else None
    zone = zone_named(row["time_zone"]) if row["time_zone"] else campaign.zone
    return Turn(
        campaign.id, row["recipient_id"], zone, wave, occurred_at=row["occurred_at"], day=day_in(row["slot"]),
        until=campaign.ends_at, not_before=turn_after_answer(campaign, row["slot"]),
    )  # fmt: skip


async def _note_failure(tx: Tx, campaign: AskingCampaign, error: Exception, *, now: datetime) -> None:
    log.error("invitations find no moment; later again", campaign=shown("campaign", campaign.id), exc_info=error)
    await fetch(tx, _NOTE_FAILURE, campaign.workspace_id, campaign.id, now)


async def _release(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Of campaigns that ask nobody any more."""
    if rows:
        await fetch(tx, _RELEASE, [row["workspace_id"] for row in rows], [row["id"] for row in rows])


# People and touchpoints one by one: to join them, PostgreSQL would read all there are again for each batch.
_READ = """
    SELECT v.*, w.starts_at, w.ends_at + coalesce($1 - w.paused_at, interval '0') AS ends_at,
        (SELECT p.time_zone FROM recipients p WHERE p.workspace_id = v.workspace_id AND p.id = v.recipient_id),
        (SELECT t.occurred_at FROM touchpoints t WHERE t.workspace_id = v.workspace_id AND t.id = v.touchpoint_id)
    FROM locked v
    LEFT JOIN waves w ON w.workspace_id = v.workspace_id AND w.campaign_id = v.campaign_id AND w.number = v.wave
"""
_LOCK_UNSCHEDULED = f"""
    WITH locked AS MATERIALIZED (
        SELECT workspace_id, campaign_id, id, recipient_id, wave, slot, touchpoint_id
        FROM invitations v WHERE state = 'planned' AND due_at IS NULL
            AND NOT EXISTS (
                SELECT FROM campaigns c
                WHERE c.workspace_id = v.workspace_id AND c.id = v.campaign_id AND c.scheduling_failed_at > $3
            )
        ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
    ) {_READ}
"""
_LOCK_OF_TOUCHPOINTS = f"""
    WITH locked AS MATERIALIZED (
        SELECT workspace_id, campaign_id, id, recipient_id, wave, slot, touchpoint_id
        FROM invitations
        WHERE workspace_id = $2 AND campaign_id = $3 AND touchpoint_id = ANY($4::uuid[]) AND state = 'planned'
            AND due_at IS NULL
        FOR UPDATE
    ) {_READ}
"""
# What finds no open hour in time is never sent.
_SCHEDULE = f"""
    UPDATE invitations v SET due_at = g.due_at, latest_at = g.latest_at,
        variant = coalesce(v.variant, g.variant),
        state = CASE WHEN g.due_at IS NULL THEN 'skipped' ELSE v.state END,
        skip_reason = CASE WHEN g.due_at IS NULL THEN CASE WHEN g.latest_at <= $8 THEN $7 ELSE $6 END END,
        {next_revision("v")}
    FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[]) AS g (id, due_at, latest_at, variant)
    WHERE v.workspace_id = $1 AND v.id = g.id
"""
_NOTE_FAILURE = "UPDATE campaigns SET scheduling_failed_at = $3 WHERE workspace_id = $1 AND id = $2"
_RELEASE = f"""
    UPDATE invitations v SET state = 'released', {next_revision("v")}
    FROM unnest($1::uuid[], $2::uuid[]) AS g (workspace_id, id)
    WHERE v.workspace_id = g.workspace_id AND v.id = g.id
"""
