"""Events in, deliveries out."""

from dataclasses import dataclass
from uuid import UUID

from app.db.lane import Lane
from app.operations.fan_out import EVENTS_AT_ONCE, FIRST, fan_out
from app.workers.loop import Bell


@dataclass(slots=True)
class FanOut:
    lane: Lane
    deliveries_made: Bell
    behind: UUID = FIRST  # the tenant that had its turn last

    async def step(self) -> bool:
        """Goes round the tenants; says whether the round is not over yet."""
        done = await fan_out(await self.lane.connection(), behind=self.behind)
        if done.deliveries:
            self.deliveries_made.ring()
        started_behind, self.behind = self.behind, FIRST
        if done.events == EVENTS_AT_ONCE and done.last_workspace is not None:
            self.behind = done.last_workspace
        return done.events > 0 or started_behind != FIRST
