"""Touchpoints: recorded once each, and at once planned for whichever campaigns ask after them.

1. take turns        what happens to one person is written down one after the other, and the second sees the first
2. keep them         the same name and external id is the same touchpoint, or a conflict where it says something else
3. invite            those whom a campaign asks after a touchpoint of this name; a paused one sends when it goes on
4. cancel            what a touchpoint of theirs calls off: the order was returned; we may hear of that first
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch, next_revision
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.touchpoint import NewTouchpoint, RecordedTouchpoint, TouchpointConflict
from app.domain.audience.sampling import is_drawn
from app.domain.errors import Overloaded
from app.operations.invitations.insert import insert_invitations
from app.operations.invitations.schedule import schedule_invitations_of
from app.operations.touchpoint_turns import take_turns
from app.queries.asking_campaigns import read_asking_campaigns
from app.queries.turns import who_fits_the_audience, who_is_listed

Made = dict[str, Any]


async def record_touchpoints(
    tx: Tx, workspace_id: UUID, said: Sequence[NewTouchpoint], *, now: datetime
) -> list[RecordedTouchpoint | TouchpointConflict]:
    """In the order of what was said. Raises Overloaded."""
    await take_turns(tx, workspace_id, [one.recipient_id for one in said])
    ids = [new_id(now) for _ in said]
    rows = await fetch(
        tx, _KEEP, workspace_id, ids, [one.name for one in said], [one.external_id for one in said],
        [one.recipient_id for one in said], [one.occurred_at for one in said],
        [json.dumps(dict(one.properties)) for one in said], now,
    )  # fmt: skip
    made = {row["id"]: row for row in rows}
    known = await _known(tx, workspace_id, said)
    for campaign in await _campaigns_asking_after(tx, workspace_id, {row["name"] for row in rows}):
        await _invite(tx, campaign, list(made.values()), now=now)
    await _cancel(tx, workspace_id, list(made.values()))
    return [
        RecordedTouchpoint(own, is_new=True) if own in made else _repeated(one, known)
        for own, one in zip(ids, said, strict=True)
    ]


def _repeated(said: NewTouchpoint, known: Mapping[tuple[str, str], Made]) -> RecordedTouchpoint | TouchpointConflict:
    found = known.get((said.name, said.external_id or ""))
    if found is None:
        raise Overloaded("The touchpoint that this one repeats is being erased at this moment.")
    content = {name: found[name] for name in ("recipient_id", "occurred_at")}
    if said.is_the_same(**content, properties=json.loads(found["properties"])):
        return RecordedTouchpoint(found["id"], is_new=False)
    return TouchpointConflict("It is about somebody else, or says something else.", pointer="/external_id")


async def _known(tx: Tx, workspace_id: UUID, said: Sequence[NewTouchpoint]) -> dict[tuple[str, str], Made]:
    named = [one for one in said if one.external_id is not None]
    if not named:
        return {}
    rows = await fetch(
        tx, _FIND_KNOWN, workspace_id, [one.name for one in named], [one.external_id for one in named]
    )  # fmt: skip
    return {(row["name"], row["external_id"]): row for row in rows}


async def _campaigns_asking_after(tx: Tx, workspace_id: UUID, names: set[str]) -> list[AskingCampaign]:
    found = await fetch(tx, _FIND_CAMPAIGNS, workspace_id, list(names))
    return await read_asking_campaigns(tx, [workspace_id] * len(found), [row["id"] for row in found]) if found else []


async def _invite(tx: Tx, campaign: AskingCampaign, made: Sequence[Made], *, now: datetime) -> None:
    name = campaign.asking.trigger.name  # type: ignore[union-attr]  # those that were looked for
    sample, seed = campaign.asking.sample, f"sample:{campaign.id}"
    theirs = [one for one in made if one["name"] == name and is_drawn(sample, seed=seed, about=one["id"])]
    listed = await who_is_listed(tx, campaign, [one["recipient_id"] for one in theirs])
    meant = await who_fits_the_audience(tx, campaign, listed, now=now)  # whoever is new may be old enough when asked
    asked = [one for one in theirs if one["recipient_id"] in meant]
    if asked:
        slots = [(one["recipient_id"], f"touchpoint:{one['id'].hex}") for one in asked]
        await insert_invitations(tx, campaign, slots, touchpoint_ids=[one["id"] for one in asked], now=now)
        await schedule_invitations_of(tx, campaign, [one["id"] for one in asked], now=now)


async def _cancel(tx: Tx, workspace_id: UUID, made: Sequence[Made]) -> None:
    ids, people = [one["id"] for one in made], [one["recipient_id"] for one in made]
    await fetch(tx, _CANCEL, workspace_id, ids, people, Reason.CANCELLED.value)


# Recipients that are gone, or somebody else's, take none.
_KEEP = """
    INSERT INTO touchpoints
        (workspace_id, id, name, external_id, recipient_id, occurred_at, properties, created_at)
    SELECT $1, g.id, g.name, g.external_id, g.recipient_id, g.occurred_at, g.properties::jsonb, $8
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[])
        AS g (id, name, external_id, recipient_id, occurred_at, properties)
    ON CONFLICT DO NOTHING
    RETURNING id, name, external_id, recipient_id, occurred_at
"""
_FIND_KNOWN = """
    SELECT t.id, t.name, t.external_id, t.recipient_id, t.occurred_at, t.properties::text AS properties
    FROM unnest($2::text[], $3::text[]) AS g (name, external_id)
    JOIN touchpoints t ON t.workspace_id = $1 AND t.name = g.name AND t.external_id = g.external_id
"""
_FIND_CAMPAIGNS = """
    SELECT id FROM campaigns
    WHERE workspace_id = $1 AND state IN ('running', 'paused') AND asking -> 'trigger' ->> 'kind' = 'touchpoint'
        AND asking -> 'trigger' ->> 'name' = ANY($2::text[])
"""
# With an external id it calls off the touchpoint of the same one, without it whatever the person was to be asked about.
# Who was asked already stays so, and is not reminded. Whose mail is on its way now is told when that has ended.
# Rows that somebody else holds are passed over, lest the two wait for each other: what cancels is looked for again
# before every mail.
_CANCEL = f"""
    WITH called_off AS MATERIALIZED (
        SELECT v.workspace_id, v.id FROM invitations v, touchpoints t, touchpoints g, campaigns c
        WHERE v.workspace_id = $1 AND v.recipient_id = ANY($3::uuid[])
            AND v.state IN ('planned', 'sending', 'sent') AND NOT v.is_cancelled
            AND t.workspace_id = v.workspace_id AND t.id = v.touchpoint_id
            AND g.workspace_id = v.workspace_id AND g.recipient_id = v.recipient_id AND g.occurred_at >= t.occurred_at
            AND (g.id = ANY($2::uuid[]) OR t.id = ANY($2::uuid[]))
            AND (g.external_id IS NULL OR t.external_id IS NOT DISTINCT FROM g.external_id)
            AND c.workspace_id = v.workspace_id AND c.id = v.campaign_id
            AND c.asking -> 'trigger' -> 'cancelled_by' ? g.name
        FOR UPDATE OF v SKIP LOCKED
    )
    UPDATE invitations v SET state = CASE WHEN v.state = 'planned' THEN 'skipped' ELSE v.state END,
        skip_reason = CASE WHEN v.state = 'planned' THEN $4 END, due_at = NULL, is_cancelled = true,
        {next_revision("v")}
    FROM called_off o WHERE v.workspace_id = o.workspace_id AND v.id = o.id
"""
