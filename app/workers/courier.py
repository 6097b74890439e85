"""Claims ahead of what it sends, so that sending never waits for the database, and settles behind it."""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Self

from app.db.lane import Lane
from app.operations.deliveries.claim import ENDPOINTS_AT_ONCE, ClaimedDelivery, Lease, claim_due_deliveries
from app.workers.deliver_webhooks import Sender, deliver, give_back
from app.workers.loop import Bell
from app.workers.places import Place, Places
from app.workers.settling import Settling
from app.workers.trust import Trust

CLAIMED_AHEAD = 2  # times what may be in flight


class Courier:
    """Carries the deliveries of one process."""

    def __init__(self, sender: Sender, *, lane: Lane, settling_lane: Lane, due: Bell) -> None:
        self.sender, self.lane, self.due = sender, lane, due
        self.in_flight = sender.settings.in_flight
        self.places = Places(self.in_flight, freed=self._send_on, hangs=due.ring)
        self.trust = Trust(sender.settings.in_flight_per_endpoint)
        self.settling = Settling(settling_lane, settled=self._settled)
        self.held = 0  # claimed, and not yet settled
        self._waiting: deque[tuple[ClaimedDelivery, float]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._nothing_held = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is still under way is cut off; its lease will run out."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()

    async def step(self) -> bool:
        """Claims what there is room for and starts it; says whether more may be due."""
        room = CLAIMED_AHEAD * self.in_flight + self.places.hanging - self.held
        if room < max(self.in_flight // 2, 1):
            return False  # settling will ring
        # Taken before PostgreSQL starts the lease, so that ours ends first.
        lease_ends_at = monotonic() + self.sender.settings.lease_seconds
        claimed = await self._claim(room)
        self.held += len(claimed)
        self._waiting.extend((delivery, lease_ends_at) for delivery in claimed)
        self._send_on()
        return len(claimed) >= room or len({one.endpoint.id for one in claimed}) >= ENDPOINTS_AT_ONCE

    async def _claim(self, room: int) -> list[ClaimedDelivery]:
        async with self.lane.transaction() as tx:
            return await claim_due_deliveries(
                tx,
                lease=Lease.of(self.sender.settings.lease_seconds),
                limit=room,
                cap_of=self.trust.cap_of,
            )

    def _send_on(self) -> None:
        while self._waiting and self.places.free:
            delivery, lease_ends_at = self._waiting.popleft()
            task = asyncio.create_task(self._carry(delivery, lease_ends_at, self.places.take()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: ClaimedDelivery, lease_ends_at: float, place: Place) -> None:
        try:
            settlement = await deliver(delivery, sender=self.sender, lease_ends_at=lease_ends_at)
        finally:
            place.give_back()
        self.settling.add(settlement)
        if settlement.attempt is not None:
            is_delivered = settlement.attempt.outcome.failure is None
            self.trust.note(delivery.endpoint.id, is_delivered=is_delivered)

    def _settled(self, count: int) -> None:
        self.held -= count
        self.due.ring()
        if not self.held:
            self._nothing_held.set()

    async def finish(self, *, seconds: float) -> None:
        """When nothing is claimed any more: gives back what has not begun, waits until the rest is settled."""
        while self._waiting:
            self.settling.add(give_back(self._waiting.popleft()[0]))
        self._nothing_held.clear()
        if self.held:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._nothing_held.wait()
