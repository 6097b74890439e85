"""What of a campaign has left, and when what waits would."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.departures import Due, expected_departures, hour_of
from app.domain.asking.eligibility import Reason, Wait
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.send_pace import Pace, Sent
from app.domain.scores.period import day_of, zone_named

HOUR = timedelta(hours=1)


async def read_sent(tx: ReadTx | Tx, campaign: AskingCampaign, *, now: datetime) -> Sent:
    place = campaign.workspace_id, campaign.id
    by_domain = Counter({row["domain"]: row["sent"] for row in await fetch(tx, _COUNT_HOUR, *place, now - HOUR)})
    (days,) = await fetch(tx, _COUNT_DAYS, *place, day_of(now, campaign.zone))
    return Sent(by_domain.total(), days["today"], days["days_before"], by_domain)


async def wait_for_pace(
    tx: ReadTx | Tx, campaign: AskingCampaign, invitation_id: UUID, *, now: datetime
) -> Wait | None:
    """Of an invitation that is due and could be sent; None where a cap has room for it within this hour."""
    if campaign.asking.pace == Pace():
        return None
    mails: Counter[Due] = Counter()
    own: Due | None = None
    for row in await fetch(tx, _COUNT_AHEAD, campaign.workspace_id, campaign.id, invitation_id, now):
        due = _due(campaign, row)
        mails[due] += row["mails"]
        own = due if row["is_own"] else own
    if own is None:
        return None
    sent = await read_sent(tx, campaign, now=now)
    leaves_at = expected_departures(mails, campaign.asking, zone=campaign.zone, sent=sent, now=now).last.get(own)
    return None if leaves_at is None or leaves_at <= now else Wait(leaves_at, Reason.PACE)


def _due(campaign: AskingCampaign, row: Mapping[str, Any]) -> Due:
    zone = zone_named(row["time_zone"]) if row["time_zone"] else campaign.zone
    return Due(hour_of(row["hour"]), zone, row["domain"] or "", row["latest_at"])


# What never got as far as a server's answer burdened nobody. What a server put off did, and is tried again by itself.
_COUNT_HOUR = """
    SELECT domain, count(*) AS sent FROM messages
    WHERE workspace_id = $1 AND campaign_id = $2 AND created_at > $3
        AND (state <> 'failed' OR (reply_code IS NOT NULL AND failure IS DISTINCT FROM 'connection'))
    GROUP BY domain
"""
_COUNT_DAYS = """
    SELECT coalesce(sum(sent_count) FILTER (WHERE sent_on = $3), 0)::int AS today,
        count(*) FILTER (WHERE sent_on < $3 AND sent_count > 0)::int AS days_before
    FROM sending_days WHERE workspace_id = $1 AND campaign_id = $2
"""
# It and what is due before it. Equally due ones leave in an order of their own, so it is about when.
_COUNT_AHEAD = """
    WITH own AS (
        SELECT id, due_at FROM invitations
        WHERE workspace_id = $1 AND campaign_id = $2 AND id = $3 AND claim_id IS NULL AND due_at <= $4
    )
    SELECT date_trunc('hour', v.due_at) AS hour, p.time_zone, substring(p.email from '[^@]*$') AS domain,
        CASE WHEN v.state = 'planned' THEN v.latest_at ELSE v.expires_at END AS latest_at, count(*)::int AS mails,
        bool_or(v.id = own.id) AS is_own
    FROM own
    JOIN invitations v ON v.workspace_id = $1 AND v.campaign_id = $2 AND v.claim_id IS NULL
        AND (v.due_at, v.id) <= (own.due_at, own.id)
    JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
    GROUP BY 1, 2, 3, 4
"""
