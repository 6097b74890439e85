"""At which hour of their own day people of a campaign answered best."""

from app.db.statements import Connection, fetch
from app.domain.asking.best_hour import HourCounts, best_hour
from app.domain.asking.invitation import AskingCampaign


async def best_hour_of(tx: Connection, campaign: AskingCampaign) -> int | None:
    rows = await fetch(tx, _COUNT, campaign.workspace_id, campaign.id, campaign.zone.key)
    return best_hour({row["hour"]: HourCounts(row["asked"], row["answered"]) for row in rows})


# The latest asks say enough, and cost the same however many there were before.
_COUNT = """
    SELECT extract(hour FROM v.asked_at AT TIME ZONE coalesce(p.time_zone, $3))::int AS hour,
        count(*) AS asked, count(v.answered_at) AS answered
    FROM (
        SELECT workspace_id, recipient_id, asked_at, answered_at FROM invitations
        WHERE workspace_id = $1 AND campaign_id = $2 AND asked_at IS NOT NULL
        ORDER BY id DESC LIMIT 20000
    ) v
    JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
    GROUP BY 1
"""
