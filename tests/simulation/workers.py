"""Three workers that race each other, die at the worst of moments, and stall; and the mail server they send to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from app.db.engine import Tx
from app.db.troubles import trouble_in
from app.domain.asking.invitation import ClaimedInvitation, MessageKind
from app.operations.invitations.claim import MailLease, claim_due_invitations
from app.operations.invitations.end import close_waves, complete_finished_campaigns
from app.operations.invitations.plan_campaigns import plan_due_campaign
from app.operations.invitations.schedule import schedule_invitations
from app.operations.invitations.settle import (
    MailEnd,
    MailSettlement,
    expire_invitations,
    give_up_lost_mails,
    settle_invitations,
)
from tests.simulation.world import World

LINK_KEY = b"simulated links, thirty-two bytes"
LEASE_SECONDS = 25
MOST_STEPS = 2_000


class Killed(Exception):
    """kill -9, at this very moment."""


@dataclass(frozen=True)
class Mail:
    """One that left, whatever its sender came to know of it."""

    at: datetime
    campaign_id: UUID
    recipient_id: UUID
    invitation_id: UUID
    kind: MessageKind
    number: int  # 0: the first, else of the reminder
    variant: str | None
    domain: str


class Postbox:
    """Takes nearly everything. Whether what ended unknown had been taken, nobody is told."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self.chance = world, Random(f"postbox:{seed}")
        self.mails: list[Mail] = []

    def takes(self, claimed: ClaimedInvitation, now: datetime) -> MailEnd:
        luck = self.chance.random()
        if luck < 0.02:
            return MailEnd.NOT_SENT
        if luck < 0.025:
            self.world.bounced_at[claimed.addressee.id] = now
            return MailEnd.FAILED
        if luck < 0.03:
            return MailEnd.UNKNOWN
        person = self.world.people[claimed.addressee.id]
        self.mails.append(
            Mail(
                now, claimed.campaign.id, person.id, claimed.id, claimed.kind, claimed.reminder_count,
                claimed.variant, person.domain,
            )
        )  # fmt: skip
        self.world.reads(claimed.id, person.id, now)
        return MailEnd.UNKNOWN if luck < 0.035 else MailEnd.SENT


class Worker:
    def __init__(self, world: World, postbox: Postbox, *, at_once: int, deadliness: float, seed: str) -> None:
        """`at_once`: mails in flight."""
        self.world, self.postbox, self.chance = world, postbox, Random(seed)
        self.at_once, self.deadliness = at_once, deadliness
        self.laziness = 0.01
        self.kills = self.stalls = 0
        self.stalled: list[MailSettlement] = []

    def gets_well(self) -> None:
        """It neither dies nor stalls any more."""
        self.deadliness = self.laziness = 0

    async def works(self, now: datetime) -> None:
        """Until nothing is to be done at this time, or until it is killed."""
        try:
            await self._settle_late(now)
            for step in (self._plan, self._schedule, self._send, self._tidy):
                await self._until_idle(step, now)
        except Killed:
            self.kills += 1

    async def _until_idle(self, step: Callable[[datetime], Awaitable[bool]], now: datetime) -> None:
        for _ in range(MOST_STEPS):
            await asyncio.sleep(0)
            try:
                if not await step(now):
                    return
            except DBAPIError as error:
                if trouble_in(error) is None:
                    raise
                return  # others hold the same rows, the dead among them; its loop comes back
        raise AssertionError("there is always more to do")

    async def _plan(self, now: datetime) -> bool:
        async with self._tx() as tx:
            return await plan_due_campaign(tx, now=now) > 0

    async def _schedule(self, now: datetime) -> bool:
        async with self._tx() as tx:
            return await schedule_invitations(tx, now=now, limit=10 * self.at_once) > 0

    async def _tidy(self, now: datetime) -> bool:
        async with self._tx() as tx:
            ended = await give_up_lost_mails(tx, now=now) + await expire_invitations(tx, now=now)
            return ended + await close_waves(tx, now=now) + await complete_finished_campaigns(tx, now=now) > 0

    async def _send(self, now: datetime) -> bool:
        async with self._tx() as tx:
            claimed, has_more = await claim_due_invitations(
                tx, lease=MailLease.of(LEASE_SECONDS), limit=self.at_once, link_key=LINK_KEY, now=now
            )
        settlements = []
        for one in claimed:
            self._may_die()
            end = self.postbox.takes(one, now)
            settlements.append(MailSettlement(one, end, has_bounced=end is MailEnd.FAILED))
            await asyncio.sleep(0)
        if settlements and self.chance.random() < self.laziness:
            self.stalled += settlements  # it comes back long after its lease
            self.stalls += 1
            return has_more
        await self._settle(settlements, now)
        return has_more

    async def _settle(self, settlements: list[MailSettlement], now: datetime) -> None:
        if settlements:
            async with self._tx() as tx:
                await settle_invitations(tx, settlements, now=now)

    async def _settle_late(self, now: datetime) -> None:
        late, self.stalled = self.stalled, []
        await self._settle(late, now)

    @asynccontextmanager
    async def _tx(self) -> AsyncIterator[Tx]:
        async with self.world.engine.write() as tx:
            yield tx
            self._may_die()  # and what it did is undone
        self._may_die()  # and nobody learns that it was done

    def _may_die(self) -> None:
        if self.chance.random() < self.deadliness:
            raise Killed
