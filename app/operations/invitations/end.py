"""How asking ends: waves that are over, campaigns that have asked everybody, or do harm."""

from datetime import datetime, timedelta

from app.db.engine import Tx
from app.db.held import Row, held
from app.db.statements import fetch, next_revision
from app.domain.asking.automatic_stop import reason_to_pause
from app.domain.asking.eligibility import Reason
from app.domain.campaign import CampaignMove
from app.operations.campaigns import move_campaign
from app.operations.invitations.pause import pause_by_itself

AT_ONCE = 100
LATE_AT_ONCE = 5_000  # people
LOOKED_BACK = timedelta(days=30)


async def close_waves(tx: Tx, *, now: datetime) -> int:
    """Whoever was not free in time is not asked by it; a large one takes several rounds. Says how much was done."""
    (done,) = await fetch(tx, _CLOSE_WAVES, now, AT_ONCE, Reason.TOO_LATE.value, LATE_AT_ONCE)
    return int(done["people"] + done["waves"])


async def complete_finished_campaigns(tx: Tx, *, now: datetime) -> int:
    """Those that ask once, when nobody is left to ask or to remind."""
    finished = await held(tx, lambda: fetch(tx, _FIND_FINISHED, AT_ONCE), table="campaigns")
    for row in finished:
        await move_campaign(tx, row["workspace_id"], row["id"], CampaignMove.COMPLETE, now=now)
    return len(finished)


async def pause_harmful_campaigns(tx: Tx, *, now: datetime) -> int:
    """Says so in `paused_reason`, and as an event; whoever resumes it begins with a clean slate the day after."""
    harmful = await held(tx, lambda: _harmful(tx, now=now), table="campaigns")
    for row in harmful:
        text = _PAUSED.format(**_counts(row))
        await pause_by_itself(tx, row["workspace_id"], row["id"], row["reason"], text=text, now=now)
    return len(harmful)


async def _harmful(tx: Tx, *, now: datetime) -> list[Row]:
    counted = await fetch(tx, _COUNT_HARM, (now - LOOKED_BACK).date())
    reasons = ((row, reason_to_pause(**_counts(row))) for row in counted)
    return [{**row, "reason": reason} for row, reason in reasons if reason is not None]


def _counts(row: Row) -> dict[str, int]:
    return {name: row[name] for name in ("sent", "bounced", "complained")}


_CLOSE_WAVES = f"""
    WITH over AS MATERIALIZED (
        SELECT w.workspace_id, w.campaign_id, w.number FROM waves w
        JOIN campaigns c ON c.workspace_id = w.workspace_id AND c.id = w.campaign_id
        WHERE w.state <> 'closed' AND w.ends_at <= $1
            AND (w.paused_at IS NULL OR c.asking IS NULL OR c.state NOT IN ('running', 'paused'))
        ORDER BY w.ends_at LIMIT $2 FOR UPDATE OF w SKIP LOCKED
    ), unasked AS MATERIALIZED (
        SELECT v.workspace_id, v.id
        FROM over o
        JOIN invitations v ON v.workspace_id = o.workspace_id AND v.campaign_id = o.campaign_id AND v.wave = o.number
        WHERE v.state = 'planned' AND v.claim_id IS NULL
        LIMIT $4 FOR UPDATE OF v SKIP LOCKED
    ), late AS (
        UPDATE invitations v SET state = 'skipped', skip_reason = $3, due_at = NULL, {next_revision("v")}
        FROM unasked u WHERE v.workspace_id = u.workspace_id AND v.id = u.id
    ), closed AS (
        UPDATE waves w SET state = 'closed', closed_at = $1 FROM over o
        WHERE w.workspace_id = o.workspace_id AND w.campaign_id = o.campaign_id AND w.number = o.number
            AND (SELECT count(*) FROM unasked) < $4
        RETURNING w.number
    )
    SELECT (SELECT count(*) FROM unasked) AS people, (SELECT count(*) FROM closed) AS waves
"""
_FIND_FINISHED = """
    SELECT c.workspace_id, c.id FROM campaigns c
    WHERE c.state = 'running' AND c.plan_due_at IS NULL AND c.asking -> 'trigger' ->> 'kind' = 'once'
        AND EXISTS (
            SELECT FROM waves w WHERE w.workspace_id = c.workspace_id AND w.campaign_id = c.id AND w.state = 'closed'
        ) AND NOT EXISTS (
            SELECT FROM invitations v WHERE v.workspace_id = c.workspace_id AND v.campaign_id = c.id
                AND v.state IN ('planned', 'sending', 'sent')
        )
    ORDER BY c.workspace_id, c.id LIMIT $1
"""
_PAUSED = """Of {sent} mails in the last 30 days, {bounced} went to addresses that do not exist and {complained} were
marked as spam. Mail services stop accepting mail from senders who go on like this. Check where the addresses came from
before you resume it.
"""
_COUNT_HARM = """
    SELECT d.workspace_id, d.campaign_id AS id, sum(d.sent_count)::int AS sent, sum(d.bounced_count)::int AS bounced,
        sum(d.complained_count)::int AS complained
    FROM sending_days d
    JOIN campaigns c ON c.workspace_id = d.workspace_id AND c.id = d.campaign_id
    JOIN workspaces w ON w.id = d.workspace_id
    LEFT JOIN LATERAL (
        SELECT max(e.occurred_at) AS at FROM events e
        WHERE e.workspace_id = c.workspace_id AND e.campaign_id = c.id AND e.type = 'campaign.resumed'
    ) resumed ON c.state = 'running'
    WHERE c.state = 'running' AND d.sent_on >= $1
        AND (resumed.at IS NULL OR d.sent_on > (resumed.at AT TIME ZONE w.time_zone)::date)
    GROUP BY 1, 2 HAVING sum(d.bounced_count) + sum(d.complained_count) > 0 ORDER BY 1, 2
"""
