"""Planning and sending by hand, at whatever time the test says it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Engine
from app.db.statements import fetch
from app.domain import ids
from app.domain.asking.invitation import ClaimedInvitation
from app.operations.invitations import end
from app.operations.invitations.claim import MailLease, claim_due_invitations
from app.operations.invitations.clocks import set_clocks_anew
from app.operations.invitations.enough import release_where_enough_is_known
from app.operations.invitations.plan_campaigns import plan_due_campaign
from app.operations.invitations.schedule import schedule_invitations
from app.operations.invitations.settle import (
    MailEnd,
    MailSettlement,
    expire_invitations,
    give_up_lost_mails,
    settle_invitations,
)
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import create, move
from tests.conftest import Tenant

LINK_KEY = b"links of tests, thirty-two bytes"
LEASE_SECONDS = 60.0
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class Office:
    engine: Engine
    tenant: Tenant
    now: datetime

    async def launched(self, **asking: Any) -> dict[str, Any]:
        campaign = await create(self.tenant, kind="relationship", asking=an_asking(**asking))
        running = await move(self.tenant, campaign, "launch")
        self.now = max(self.now, datetime.now(UTC))
        return running

    async def people(self, *emails: str, **fields: Any) -> list[str]:
        said = [{"email": f"{email}@example.com", **fields} for email in emails]
        reply = await self.tenant.api.post("/v1/recipients/bulk", json={"recipients": said})
        assert reply.status_code == 200, reply.text
        return [row["id"] for row in reply.json()["results"]]

    async def plan(self) -> None:
        for chore in (plan_due_campaign, schedule_invitations, set_clocks_anew):
            for _ in range(100):
                async with self.engine.write() as tx:
                    if not await chore(tx, now=self.now):  # type: ignore[operator]  # both are
                        break

    async def engine_says(self, statement: str) -> None:
        async with self.engine.write() as tx:
            await fetch(tx, statement)

    async def claim(self, *, limit: int = 100) -> list[ClaimedInvitation]:
        lease = MailLease.of(LEASE_SECONDS)
        async with self.engine.write() as tx:
            claimed, _ = await claim_due_invitations(tx, lease=lease, limit=limit, link_key=LINK_KEY, now=self.now)
        return claimed

    async def settle(
        self, claimed: Sequence[ClaimedInvitation], ended: MailEnd = MailEnd.SENT, *, has_bounced: bool = False
    ) -> int:
        said = [MailSettlement(one, ended, has_bounced=has_bounced) for one in claimed]
        async with self.engine.write() as tx:
            return await settle_invitations(tx, said, now=self.now)

    async def send(self, *, within: timedelta = DAY) -> list[str]:
        """Plans, and sends all that comes due; the first parts of the addresses, in the order they went."""
        until, gone = self.now + within, list[str]()
        step = HOUR if within <= DAY else 6 * HOUR
        while self.now <= until:
            await self.plan()
            claimed = await self.claim()
            await self.settle(claimed)
            gone += [one.addressee.email.partition("@")[0] for one in claimed]
            self.now += step
        return gone

    async def tend(self) -> None:
        for chore in (give_up_lost_mails, expire_invitations, end.close_waves, end.complete_finished_campaigns):
            async with self.engine.write() as tx:
                await chore(tx, now=self.now)  # type: ignore[operator]  # all are
        async with self.engine.write() as tx:
            await release_where_enough_is_known(tx)

    async def states(self, campaign: dict[str, Any]) -> dict[str, int]:
        """How many there are of each, those skipped by their reason."""
        counted = await rows(
            self.engine,
            "SELECT coalesce(skip_reason, state) AS state, count(*)::int AS people FROM invitations"
            " WHERE campaign_id = :id GROUP BY 1",
            id=ids.parsed("campaign", campaign["id"]),
        )
        return {row["state"]: row["people"] for row in counted}

    async def dues(self) -> list[datetime | None]:
        return [row["due_at"] for row in await rows(self.engine, "SELECT due_at FROM invitations ORDER BY id")]

    async def asked_at(self, recipient: str) -> datetime | None:
        (row,) = await rows(
            self.engine, "SELECT asked_at FROM recipients WHERE id = :id", id=ids.parsed("recipient", recipient)
        )
        asked_at: datetime | None = row["asked_at"]
        return asked_at

    async def answer(self, campaign: dict[str, Any], recipient: str, score: int = 9) -> UUID:
        said = {"campaign_id": campaign["id"], "recipient_id": recipient, "score": score}
        reply = await self.tenant.api.post("/v1/responses", json=said)
        assert reply.status_code == 201, reply.text
        return ids.parsed("response", reply.json()["id"])
