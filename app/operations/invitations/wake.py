"""Telling senders that campaigns have something due."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch


async def wake_campaigns(tx: Tx, due: Iterable[tuple[UUID, UUID, datetime | None]]) -> None:
    """By workspace and campaign, when each of its invitations is due; None: not at all."""
    first: dict[tuple[UUID, UUID], datetime] = {}
    for workspace_id, campaign_id, due_at in due:
        if due_at is not None:
            place = workspace_id, campaign_id
            first[place] = min(due_at, first.get(place, due_at))
    if first:
        spaces, ids = ([place[at] for place in first] for at in (0, 1))
        await fetch(tx, _WAKE, spaces, ids, list(first.values()))


_WAKE = """
    INSERT INTO sending_work AS s (workspace_id, campaign_id, due_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS w (workspace_id, campaign_id, due_at)
    ORDER BY 1, 2
    ON CONFLICT (workspace_id, campaign_id) DO UPDATE SET due_at = excluded.due_at WHERE s.due_at > excluded.due_at
"""
