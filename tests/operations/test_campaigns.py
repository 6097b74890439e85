from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

from app.db.engine import Engine
from app.domain.campaign import CampaignMove, CampaignState, state_due
from app.domain.ids import parsed
from app.operations.campaigns import advance_due_campaigns, move_campaign
from app.operations.workspaces import create_workspace
from tests.builders import a_campaign, rows


async def a_workspace(engine: Engine, now: datetime) -> UUID:
    async with engine.write() as tx:
        return (await create_workspace(tx, "Alice", time_zone="UTC", now=now)).live_id


async def advance(engine: Engine, now: datetime, **options: int) -> int:
    async with engine.write() as tx:
        return await advance_due_campaigns(tx, now=now, **options)


async def one(engine: Engine, query: str) -> dict[str, Any]:
    return (await rows(engine, query))[0]


async def test_time_moves_campaigns_exactly_as_the_domain_says(own_engine: Engine, now: datetime) -> None:
    workspace = await a_workspace(own_engine, now)
    instants = [None, *(now + timedelta(hours=hours) for hours in (-2, -1, 0, 1, 2))]
    cases = [
        (state, starts_at, ends_at)
        for state, starts_at, ends_at in product(CampaignState, instants, instants)
        if starts_at is None or ends_at is None or starts_at < ends_at
    ]
    expected = {}
    for state, starts_at, ends_at in cases:
        shown_id = await a_campaign(own_engine, workspace, state=state.value, starts_at=starts_at, ends_at=ends_at)
        due = state_due(state, now=now, starts_at=starts_at, ends_at=ends_at)
        expected[parsed("campaign", shown_id)] = (due, 1 if due is state else 2)
    moved = sum(revision == 2 for _, revision in expected.values())
    assert 0 < moved < len(cases)
    assert await advance(own_engine, now, limit=1_000) == moved
    found = await rows(own_engine, "SELECT id, state, revision FROM campaigns")
    assert {row["id"]: (row["state"], row["revision"]) for row in found} == expected
    assert await advance(own_engine, now, limit=1_000) == 0


async def test_what_time_did_is_announced_in_each_workspace(own_engine: Engine, now: datetime) -> None:
    alice, bob = await a_workspace(own_engine, now), await a_workspace(own_engine, now)
    starting = await a_campaign(own_engine, alice, state="scheduled", starts_at=now)
    ending = await a_campaign(own_engine, bob, state="running", ends_at=now)
    await advance(own_engine, now)
    events = await rows(own_engine, "SELECT workspace_id, type, revision, body -> 'campaign' AS campaign FROM events")
    found = {
        (event["workspace_id"], event["type"], event["campaign"]["id"], event["campaign"]["state"]) for event in events
    }
    assert found == {
        (alice, "campaign.updated", starting, "running"),
        (bob, "campaign.completed", ending, "completed"),
    }
    assert {event["revision"] for event in events} == {2}
    queued = await one(own_engine, "SELECT count(*) FROM event_queue")
    assert queued["count"] == 2
    over = await one(own_engine, "SELECT completed_at, updated_at FROM campaigns WHERE state = 'completed'")
    assert over == {"completed_at": now, "updated_at": now}


async def test_a_large_backlog_is_worked_off_in_batches(own_engine: Engine, now: datetime) -> None:
    workspace = await a_workspace(own_engine, now)
    for _ in range(5):
        await a_campaign(own_engine, workspace, state="scheduled", starts_at=now)
    assert [await advance(own_engine, now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_a_campaign_that_somebody_is_moving_is_left_to_them(own_engine: Engine, now: datetime) -> None:
    workspace = await a_workspace(own_engine, now)
    campaign = parsed("campaign", await a_campaign(own_engine, workspace, state="running", ends_at=now))
    assert campaign is not None
    async with own_engine.write() as tx:
        await move_campaign(tx, workspace, campaign, CampaignMove.PAUSE, now=now)
        assert await advance(own_engine, now) == 0
    assert await advance(own_engine, now) == 0
    events = await rows(own_engine, "SELECT type FROM events")
    assert [event["type"] for event in events] == ["campaign.paused"]


async def test_two_ticks_at_once_move_a_campaign_once(own_engine: Engine, now: datetime) -> None:
    workspace = await a_workspace(own_engine, now)
    await a_campaign(own_engine, workspace, state="running", ends_at=now)
    async with own_engine.write() as one_worker, own_engine.write() as other_worker:
        moved = [await advance_due_campaigns(tx, now=now) for tx in (one_worker, other_worker)]
    assert moved == [1, 0]
    assert (await one(own_engine, "SELECT count(*) FROM events"))["count"] == 1
