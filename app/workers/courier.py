"""Claims ahead of what it sends, so that sending never waits for the database, and settles behind it."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Self

from app.db.lane import Lane
from app.operations.deliveries.claim import ClaimedDelivery, Lease, claim_due_deliveries
from app.operations.deliveries.settle import Settlement
from app.workers.deliver_webhooks import Sender, deliver, give_back
from app.workers.loop import Bell
from app.workers.places import Places
from app.workers.settling import Settling

CLAIMED_AHEAD = 2  # times what may be in flight


class Courier:
    """Carries the deliveries of one process."""

    def __init__(self, sender: Sender, *, lane: Lane, settling_lane: Lane, due: Bell, stop: asyncio.Event) -> None:
        self.sender, self.lane, self.due, self.stop = sender, lane, due, stop
        self.in_flight = sender.settings.in_flight
        self.places = Places(self.in_flight, freed=due.ring)
        self.settling = Settling(settling_lane, settled=self._settled)
        self.held = 0  # claimed, and not yet settled
        self._tasks: set[asyncio.Task[None]] = set()
        self._nothing_held = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is still under way is cut off; its lease will run out."""
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
        for delivery in claimed:
            self._start(delivery, lease_ends_at)
        return bool(claimed)

    async def _claim(self, room: int) -> list[ClaimedDelivery]:
        settings = self.sender.settings
        async with self.lane.transaction() as tx:
            return await claim_due_deliveries(
                tx,
                lease=Lease.of(settings.lease_seconds),
                limit=room,
                in_flight_per_endpoint=settings.in_flight_per_endpoint,
            )

    def _start(self, delivery: ClaimedDelivery, lease_ends_at: float) -> None:
        task = asyncio.create_task(self._carry(delivery, lease_ends_at))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: ClaimedDelivery, lease_ends_at: float) -> None:
        async with self.places.take():
            self.settling.add(await self._carried(delivery, lease_ends_at))

    async def _carried(self, delivery: ClaimedDelivery, lease_ends_at: float) -> Settlement:
        if self.stop.is_set():
            return give_back(delivery)
        return await deliver(delivery, sender=self.sender, lease_ends_at=lease_ends_at)

    def _settled(self, count: int) -> None:
        self.held -= count
        self.due.ring()
        if not self.held:
            self._nothing_held.set()

    async def finish(self, *, seconds: float) -> None:
        """After `stop`, when nothing is claimed any more: waits until all that was is settled or given back."""
        self.places.open(self.held)  # nobody has to wait for a place to give something back
        self._nothing_held.clear()
        if self.held:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._nothing_held.wait()
