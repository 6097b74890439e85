"""Claims ahead of what it sends, so that sending never waits for the database, and settles behind it."""

import asyncio
from asyncio import TimerHandle
from collections import deque
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Self
from uuid import UUID

import structlog

from app.db.lane import Lane
from app.domain.ids import shown
from app.domain.webhooks.breaker import tells_of_health
from app.operations.deliveries.claim import Claim, ClaimedDelivery, Lease, claim_due_deliveries
from app.workers.deliver_webhooks import OUR_TROUBLE, deliver, give_back
from app.workers.loop import Bell
from app.workers.places import Place, Places
from app.workers.settling import Settling
from app.workers.trust import Trust
from app.workers.worker import Worker

log = structlog.get_logger()

CLAIMED_AHEAD = 2  # times what may be in flight

Waiting = tuple[ClaimedDelivery, float]  # and when its lease ends


class Courier:
    """Carries the deliveries of one process."""

    def __init__(self, worker: Worker, *, lane: Lane, settling_lane: Lane, due: Bell) -> None:
        self.worker, self.lane, self.due = worker, lane, due
        self.in_flight = worker.settings.in_flight
        self.places = Places(self.in_flight, freed=self._send_on)
        self.trust = Trust(worker.settings.in_flight_per_endpoint)
        self.settling = Settling(settling_lane, settled=self._settled)
        self.held = 0  # claimed, and not yet settled
        self._waiting: deque[Waiting] = deque()
        self._doubted: deque[Waiting] = deque()  # for endpoints that let us wait or fail
        self._next_claim: TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._nothing_held = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is still under way is cut off; its lease will run out."""
        self._waiting.clear()
        self._doubted.clear()
        self._claim_in(None)
        for task in self._tasks:
            task.cancel()

    async def step(self) -> bool:
        """Claims what there is room for and starts it; says whether more may be due."""
        # Those that hang, or wait for an endpoint in doubt, take nobody's room; caps keep them few.
        room = CLAIMED_AHEAD * self.in_flight + self.places.hanging + len(self._doubted) - self.held
        if room < max(self.in_flight // 2, 1):
            return False  # settling will ring
        # Taken before PostgreSQL starts the lease, so that ours ends first.
        lease_ends_at = monotonic() + self.worker.settings.lease_seconds
        claim = await self._claim(room)
        self.held += len(claim.deliveries)
        self._waiting.extend((delivery, lease_ends_at) for delivery in claim.deliveries)
        self._send_on()
        self._claim_in(claim.next_in_seconds)
        return bool(claim.deliveries) and claim.next_in_seconds == 0

    async def _claim(self, room: int) -> Claim:
        async with self.lane.transaction() as tx:
            return await claim_due_deliveries(
                tx,
                lease=Lease.of(self.worker.settings.lease_seconds),
                limit=room,
                cap_of=self.trust.cap_of,
            )

    def _claim_in(self, seconds: float | None) -> None:
        """Sooner than polling would."""
        if self._next_claim is not None:
            self._next_claim.cancel()
            self._next_claim = None
        if seconds is not None and 0 < seconds < self.worker.settings.poll_seconds:
            self._next_claim = asyncio.get_running_loop().call_later(seconds, self.due.ring)

    def _send_on(self) -> None:
        while self.places.free and (next_one := self._next()) is not None:
            delivery, lease_ends_at = next_one
            task = asyncio.create_task(self._carry(delivery, lease_ends_at, self._place_for(delivery.endpoint.id)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self) -> Waiting | None:
        """Few places are for endpoints in doubt, but those are theirs."""
        if self._doubted and self.places.free_for_doubted > 0:
            return self._doubted.popleft()
        while self._waiting:
            next_one = self._waiting.popleft()
            if self.places.free_for_doubted > 0 or not self.trust.doubts(next_one[0].endpoint.id):
                return next_one
            self._doubted.append(next_one)
        return None

    def _place_for(self, endpoint_id: UUID) -> Place:
        return self.places.take(is_doubted=self.trust.doubts(endpoint_id), hangs=partial(self._hangs, endpoint_id))

    def _hangs(self, endpoint_id: UUID) -> None:
        self.trust.note_hanging(endpoint_id)
        self.due.ring()

    async def _carry(self, delivery: ClaimedDelivery, lease_ends_at: float, place: Place) -> None:
        try:
            settlement = await deliver(delivery, worker=self.worker, lease_ends_at=lease_ends_at)
        except Exception:  # whatever is claimed must be settled, or nothing is claimed any more one day
            log.exception("a delivery could not be judged", delivery=shown("delivery", delivery.id))
            settlement = give_back(delivery, wait=OUR_TROUBLE)
        finally:
            place.give_back()
        self.settling.add(settlement)
        if settlement.attempt is not None and tells_of_health(settlement.attempt.outcome):
            is_delivered = settlement.attempt.outcome.failure is None
            self.trust.note(delivery.endpoint.id, is_delivered=is_delivered)

    def _settled(self, count: int) -> None:
        self.held -= count
        self.due.ring()
        if not self.held:
            self._nothing_held.set()

    async def finish(self, *, seconds: float) -> None:
        """When nothing is claimed any more: gives back what has not begun, waits until the rest is settled."""
        for waiting in (self._waiting, self._doubted):
            while waiting:
                self.settling.add(give_back(waiting.popleft()[0]))
        self._nothing_held.clear()
        if self.held:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._nothing_held.wait()
