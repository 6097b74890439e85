"""Outcomes gather while the previous batch of them is being written."""

from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg
import structlog

from app.db.lane import Lane
from app.operations.deliveries.settle import Settlement, settle_deliveries
from app.workers.loop import Bell

log = structlog.get_logger()

AT_ONCE = 500


@dataclass(slots=True)
class Settling:
    """What cannot be written now waits, and keeps its place in flight, until PostgreSQL is back."""

    lane: Lane
    settled: Callable[[int], None]  # told how many
    bell: Bell = field(default_factory=Bell)
    waiting: list[Settlement] = field(default_factory=list)
    at_once: int = AT_ONCE

    def add(self, settlement: Settlement) -> None:
        self.waiting.append(settlement)
        self.bell.ring()

    async def step(self) -> bool:
        batch = self.waiting[: self.at_once]
        if not batch:
            return False
        try:
            await settle_deliveries(await self.lane.connection(), batch)
        except asyncpg.DataError:
            if len(batch) > 1:
                self.at_once = len(batch) // 2  # to find the one it is about
                return True
            log.exception("an outcome cannot be stored; its delivery will be tried again")
        self.at_once = AT_ONCE
        del self.waiting[: len(batch)]
        self.settled(len(batch))
        return bool(self.waiting)
