"""After an edit whatever is planned gets another moment: what is due first at once, the rest from the planner.

So an edit answers soon, however many are planned. What leaves meanwhile obeys the edit all the same: the rules decide
before each mail. What has to be reset was last written before the planner first looked, and it looks until nobody is
left who may still be giving moments by what held before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import Connection, fetch, next_revision

AT_ONCE = 5_000
LOOK_AGAIN = timedelta(seconds=2)


async def begin_replanning(tx: Tx, workspace_id: UUID, campaign_id: UUID) -> None:
    await fetch(tx, _BEGIN, workspace_id, campaign_id)
    await fetch(tx, _RESET_FIRST, workspace_id, campaign_id, AT_ONCE)


async def replan_by_quarantine(tx: Tx, workspace_id: UUID, *, now: datetime) -> None:
    """Of all campaigns that have none of their own, by the planner alone: they may be many, and large."""
    await fetch(tx, _BEGIN_OF.format(which="asking ->> 'quarantine_days' IS NULL"), workspace_id, now)


async def replan_by_time_zone(tx: Tx, workspace_id: UUID, *, now: datetime) -> None:
    """Of campaigns that ask around dates, at a time of day: whoever has no time zone of their own has another now."""
    await fetch(tx, _BEGIN_OF.format(which="asking -> 'trigger' ->> 'kind' = 'date_property'"), workspace_id, now)


async def replan_dates_of(tx: Connection, people: Sequence[tuple[UUID, UUID]]) -> None:
    """By workspace and id, who live in another time zone now."""
    if people:
        await fetch(tx, _RESET_DATES, *([place[at] for place in people] for at in (0, 1)))


async def go_on_replanning(tx: Tx, workspace_id: UUID, campaign_id: UUID, *, now: datetime) -> datetime | None:
    """One batch. Says when to look again; None: all have another moment, or there was nothing to do."""
    place = workspace_id, campaign_id
    if not await fetch(tx, _NOTE_SINCE, *place):
        return None
    reset = await fetch(tx, _RESET, *place, AT_ONCE)
    if len(reset) == AT_ONCE:
        return now
    return None if await fetch(tx, _FINISH, *place) else now + LOOK_AGAIN


_BEGUN = "replan_in = '0', second_look_behind = '00000000-0000-0000-0000-000000000000'"
_BEGIN = f"UPDATE campaigns SET {_BEGUN} WHERE workspace_id = $1 AND id = $2"
_BEGIN_OF = f"""
    WITH meant AS MATERIALIZED (
        SELECT id FROM campaigns
        WHERE workspace_id = $1 AND state IN ('running', 'paused') AND asking IS NOT NULL AND {{which}}
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE campaigns c SET plan_due_at = $2, {_BEGUN} FROM meant o WHERE c.workspace_id = $1 AND c.id = o.id
"""
_NOTE_SINCE = """
    UPDATE campaigns SET replan_in = CASE WHEN replan_in = '0' THEN pg_current_xact_id() ELSE replan_in END
    WHERE workspace_id = $1 AND id = $2 AND replan_in IS NOT NULL RETURNING id
"""
_FINISH = """
    UPDATE campaigns SET replan_in = NULL
    WHERE workspace_id = $1 AND id = $2
        AND (replan_in < pg_snapshot_xmin(pg_current_snapshot()) OR replan_in = pg_current_xact_id()
            AND pg_snapshot_xmin(pg_current_snapshot()) = pg_current_xact_id())
    RETURNING id
"""
_SET = f"""
    UPDATE invitations v SET due_at = NULL, {next_revision("v")}
    FROM stale s WHERE v.workspace_id = s.workspace_id AND v.id = s.id RETURNING v.id
"""
_STALE = """
    SELECT v.workspace_id, v.id FROM invitations v
    WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND v.state = 'planned' AND v.claim_id IS NULL
        AND v.due_at IS NOT NULL
"""
# What is in somebody's hands at this moment keeps its own.
_RESET_DATES = f"""
    WITH stale AS MATERIALIZED (
        SELECT v.workspace_id, v.id FROM unnest($1::uuid[], $2::uuid[]) AS g (workspace_id, recipient_id)
        JOIN invitations v ON v.workspace_id = g.workspace_id AND v.recipient_id = g.recipient_id
        WHERE v.state = 'planned' AND v.claim_id IS NULL AND v.due_at IS NOT NULL AND v.slot LIKE 'date:%'
        FOR UPDATE OF v SKIP LOCKED
    ) {_SET}
"""
_RESET_FIRST = f"""
    WITH stale AS MATERIALIZED ({_STALE} ORDER BY v.due_at LIMIT $3 FOR UPDATE SKIP LOCKED) {_SET}
"""
# Itself included: whoever goes on after a pause has just moved the end of the wave.
_RESET = f"""
    WITH stale AS MATERIALIZED (
        {_STALE} AND v.changed_in <= (SELECT replan_in FROM campaigns WHERE workspace_id = $1 AND id = $2)
        LIMIT $3 FOR UPDATE SKIP LOCKED
    ) {_SET}
"""
