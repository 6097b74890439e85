"""Campaigns that stop when enough is known: what was planned and not sent is given back to other campaigns."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.asking.invitation import AskingCampaign
from app.domain.scores.segment import OTHER
from app.queries.asking_campaigns import read_asking_campaigns
from app.queries.enough import enough_of

EVER = datetime.max.replace(tzinfo=UTC)


async def release_where_enough_is_known(tx: Tx) -> None:
    found = await fetch(tx, _FIND_STOPPING)
    places = [row["workspace_id"] for row in found], [row["id"] for row in found]
    for campaign in await read_asking_campaigns(tx, *places) if found else []:
        await release_enough(tx, campaign)


async def release_enough(tx: Tx, campaign: AskingCampaign, *, due_by: datetime = EVER) -> None:
    """What is due by then of segments and waves of which enough is known; what others hold is left to the next time."""
    known = await enough_of(tx, campaign)
    if known:
        stop = campaign.asking.stop
        values: Sequence[str] = [value for value, _ in known]
        waves: Sequence[int | None] = [wave for _, wave in known]
        await fetch(
            tx, _RELEASE, campaign.workspace_id, campaign.id, (stop and stop.property) or "", values, waves, due_by,
            OTHER,
        )  # fmt: skip


_FIND_STOPPING = """
    SELECT c.workspace_id, c.id FROM campaigns c
    WHERE c.state = 'running' AND c.asking -> 'stop' <> 'null' AND EXISTS (
        SELECT FROM invitations v WHERE v.workspace_id = c.workspace_id AND v.campaign_id = c.id
            AND v.state = 'planned'
    )
"""
# In whichever segment an answer of theirs would be counted: by the property of the person, or of what they are asked
# about, under its bucket, and under "(other)" where its values have no room left.
_RELEASE = f"""
    WITH unwanted AS MATERIALIZED (
        SELECT v.workspace_id, v.id
        FROM invitations v
        JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
        LEFT JOIN touchpoints o ON o.workspace_id = v.workspace_id AND o.id = v.touchpoint_id
        LEFT JOIN tracked_properties t ON t.workspace_id = v.workspace_id AND t.key = $3
        CROSS JOIN LATERAL (
            SELECT segment_label(
                CASE t.source WHEN 'recipient' THEN p.properties ELSE o.properties END -> t.key, t.kind, t.buckets
            ) AS label
        ) said
        LEFT JOIN tracked_values m ON m.workspace_id = v.workspace_id AND m.key = $3 AND m.value = said.label
        JOIN unnest($4::text[], $5::int[]) AS g (value, wave)
            ON ($3 = '' OR g.value = CASE WHEN said.label IS NOT NULL THEN coalesce(m.value, $7) END)
            AND (g.wave IS NULL OR g.wave = v.wave)
        WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.state = 'planned' AND v.claim_id IS NULL
            AND coalesce(v.due_at, '-infinity') <= $6
        FOR UPDATE OF v SKIP LOCKED
    )
    UPDATE invitations v SET state = 'released', due_at = NULL, {next_revision("v")}
    FROM unwanted u WHERE v.workspace_id = u.workspace_id AND v.id = u.id
"""
