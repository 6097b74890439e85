"""What a connector wants to know beside the event itself."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx
from app.db.statements import fetch
from app.domain.connectors.protocol import Made, Remembered
from app.domain.connectors.story import Background
from app.domain.follow_up import FollowUp, FollowUpState


async def remembered(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, subject_id: UUID) -> Remembered:
    """What was made at the other side for an answer."""
    rows = await fetch(tx, _REMEMBERED, workspace_id, endpoint_id, subject_id)
    return Remembered({row["name"]: Made(row["name"], row["remote_id"], row["told_revision"]) for row in rows})


async def background_of(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, response_id: UUID) -> Background:
    """Little, of an answer nobody is known to have given."""
    rows = await fetch(tx, _BACKGROUND, workspace_id, response_id, endpoint_id)
    return Background(**_fields(rows[0])) if rows else Background()


async def has_earlier_news(
    tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, response_id: UUID, *, revision: int
) -> bool:
    """Whether something older about the same answer still waits for the same endpoint."""
    return bool(await fetch(tx, _EARLIER, workspace_id, endpoint_id, response_id, revision))


async def is_overtaking(tx: ReadTx, workspace_id: UUID, delivery_id: UUID, response_id: UUID, *, revision: int) -> bool:
    """Whether the same endpoint is being told something else about the same answer just now.

    Who was claimed first goes first, and of those claimed together the older; the other waits, so that what is told
    last is what is newest.
    """
    return bool(await fetch(tx, _OVERTAKING, workspace_id, delivery_id, response_id, revision))


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("account", "account_owner", "last_score", "score_before", "is_overtaken")} | {
        "follow_up": FollowUp(FollowUpState(row["state"]), row["owner"], row["changed_by"]) if row["state"] else None
    }


_REMEMBERED = """
    SELECT name, remote_id, told_revision FROM remote_records
    WHERE workspace_id = $1 AND endpoint_id = $2 AND subject_id = $3
"""

_BACKGROUND = """
    SELECT coalesce(a.name, a.external_id) AS account, a.owner AS account_owner, last.score AS last_score,
        before.score AS score_before,
        EXISTS (
            SELECT FROM responses n WHERE n.workspace_id = r.workspace_id AND n.recipient_id = r.recipient_id
                AND n.answered_at > r.answered_at AND n.excluded_at IS NULL
                AND (w.campaign_ids = '{}' OR n.campaign_id = ANY(w.campaign_ids))
        ) AS is_overtaken, f.state, f.owner, f.changed_by
    FROM responses r
    JOIN webhook_endpoints w ON w.workspace_id = r.workspace_id AND w.id = $3
    LEFT JOIN recipients p ON p.workspace_id = r.workspace_id AND p.id = r.recipient_id
    LEFT JOIN follow_ups f ON f.workspace_id = r.workspace_id AND f.response_id = r.id
    LEFT JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
    LEFT JOIN LATERAL (
        SELECT o.score FROM responses o
        WHERE o.workspace_id = r.workspace_id AND o.recipient_id = r.recipient_id AND o.campaign_id = r.campaign_id
            AND o.answered_at < r.answered_at AND o.excluded_at IS NULL
        ORDER BY o.answered_at DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT o.score FROM response_revisions o
        WHERE o.workspace_id = r.workspace_id AND o.response_id = r.id AND o.score <> r.score
        ORDER BY o.revision DESC LIMIT 1
    ) AS before ON true
    WHERE r.workspace_id = $1 AND r.id = $2
"""

# Of what is claimed, due_at is when the lease ends; leases are equally long.
_OVERTAKING = """
    SELECT 1 FROM deliveries mine
    JOIN deliveries d ON d.workspace_id = mine.workspace_id AND d.endpoint_id = mine.endpoint_id
        AND d.claim_id IS NOT NULL AND d.due_at > now()
    JOIN events e ON e.workspace_id = d.workspace_id AND e.id = d.event_id
    WHERE mine.workspace_id = $1 AND mine.id = $2 AND e.response_id = $3 AND e.revision <> $4
        AND (d.due_at, e.revision) < (mine.due_at, $4)
    LIMIT 1
"""

_EARLIER = """
    SELECT 1 FROM deliveries d JOIN events e ON e.workspace_id = d.workspace_id AND e.id = d.event_id
    WHERE d.workspace_id = $1 AND d.endpoint_id = $2 AND e.response_id = $3 AND e.revision < $4
    LIMIT 1
"""
