"""Brings older responses into line with the tracked properties that were declared or removed."""

import asyncio
from uuid import UUID

from app.config import Settings
from app.db.engine import Engine
from app.db.readers import transactions_that_read
from app.operations.tracked_properties import begin_scan, scan_some
from app.queries.tracked_properties import unfinished_tracking

MOST_BATCHES = 1_000  # of each property in one go; the next ring goes on
LOOKS, PAUSE_SECONDS = 1_200, 0.05  # a minute, which no transaction of ours outlives

Key = tuple[UUID, str]


async def track_properties(engine: Engine, _settings: Settings | None = None) -> None:
    """1. find what was declared or removed; 2. let older views of that end; 3. scan, a batch of each in turn."""
    async with engine.read() as tx:
        unfinished = await unfinished_tracking(tx)
    fresh = [(row["workspace_id"], row["key"]) for row in unfinished if row["scanned_to"] is None]
    if fresh and not await _older_views_have_ended(engine):
        return
    for key in fresh:
        async with engine.write() as tx:
            await begin_scan(tx, *key)
    busy = [(row["workspace_id"], row["key"]) for row in unfinished]
    for _ in range(MOST_BATCHES):
        busy = [key for key in busy if await _scan(engine, key)]
        if not busy:
            return


async def _older_views_have_ended(engine: Engine) -> bool:
    older = await _readers(engine)
    for _ in range(LOOKS):
        if not older:
            return True
        await asyncio.sleep(PAUSE_SECONDS)
        older &= await _readers(engine)
    return False


async def _readers(engine: Engine) -> frozenset[str]:
    async with engine.read() as tx:
        return await transactions_that_read(tx, "tracked_properties")


async def _scan(engine: Engine, key: Key) -> bool:
    async with engine.write() as tx:
        return await scan_some(tx, *key)
