"""Outcomes gather while the previous batch of them is being written."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.db.lane import Lane
from app.operations.deliveries.settle import Settlement, settle_deliveries
from app.workers.loop import Bell

AT_ONCE = 500


@dataclass(slots=True)
class Settling:
    """What cannot be written now waits, and keeps its place in flight, until PostgreSQL is back."""

    lane: Lane
    settled: Callable[[int], None]  # told how many
    bell: Bell = field(default_factory=Bell)
    waiting: list[Settlement] = field(default_factory=list)

    def add(self, settlement: Settlement) -> None:
        self.waiting.append(settlement)
        self.bell.ring()

    async def step(self) -> bool:
        if not self.waiting:
            return False
        batch = self.waiting[:AT_ONCE]
        await settle_deliveries(await self.lane.connection(), batch)
        del self.waiting[: len(batch)]
        self.settled(len(batch))
        return bool(self.waiting)
