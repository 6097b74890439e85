"""A mail that did not leave is settled while somebody else writes about the same person or campaign."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest

from app.db.engine import Engine, Tx
from app.db.statements import fetch
from app.domain import ids
from app.domain.asking.touchpoint import NewTouchpoint
from app.operations.erasure import erase_recipient
from app.operations.invitations import settle
from app.operations.invitations.settle import MailEnd, MailSettlement, settle_invitations
from app.operations.invitations.wake import wake_campaigns
from app.operations.touchpoints import record_touchpoints
from tests.builders import rows
from tests.conftest import a_tenant, running_app
from tests.operations.invitations.office import Office
from tests.operations.test_touchpoint_races import waits_or_is_done
from tests.workers.scene import until

ORDER = {"kind": "touchpoint", "name": "order"}


@pytest.fixture
async def office(own_database_url: str, own_engine: Engine) -> AsyncIterator[Office]:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        yield Office(own_engine, alice, datetime.now(UTC))


async def ordered(office: Office, person: str) -> None:
    said = {"name": "order", "recipient_id": person}
    reply = await office.tenant.api.post("/v1/touchpoints", json=said)
    assert reply.status_code == 201, reply.text


async def locks(tx: Tx, office: Office, person: str) -> None:
    await fetch(tx, "SELECT FROM recipients WHERE id = $1 FOR NO KEY UPDATE", ids.parsed("recipient", person))


async def erases(tx: Tx, office: Office, person: str) -> None:
    found = ids.parsed("recipient", person)
    assert found is not None
    await erase_recipient(tx, office.tenant.workspace_id, found, now=office.now, hmac_key=b"k" * 32)


async def tells(tx: Tx, office: Office, person: str) -> None:
    found = ids.parsed("recipient", person)
    assert found is not None
    said = [NewTouchpoint(found, "order", office.now)]
    await record_touchpoints(tx, office.tenant.workspace_id, said, now=office.now)


@pytest.mark.parametrize("writes", [erases, tells])
async def test_whoever_holds_the_person_first_goes_on(office: Office, writes: Any) -> None:
    campaign = await office.launched(trigger=ORDER, quarantine_days=0)
    for one in await office.people("ada", "bob"):  # one of them stays due
        await ordered(office, one)
    office.now = datetime.now(UTC)
    (mail,) = await office.claim(limit=1)
    person = ids.shown("recipient", mail.addressee.id)

    async with office.engine.write() as other:
        (process,) = await fetch(other, "SELECT pg_backend_pid() AS id")
        async with office.engine.write() as tx:
            await locks(tx, office, person)
            said = [MailSettlement(mail, MailEnd.NOT_SENT)]
            settling = asyncio.create_task(settle_invitations(other, said, now=office.now))
            await until(lambda: waits_or_is_done(office.engine, process["id"], settling))
            await writes(tx, office, person)
        assert await settling == 1

    assert sum((await office.states(campaign)).values()) == (2 if writes is erases else 3)


async def test_two_that_settle_mails_of_the_same_campaigns_wait_for_each_other(office: Office) -> None:
    """Of each campaign one mail did not leave, and another did and has a reminder coming."""
    await office.people(*(f"p{at}" for at in range(9)))
    for _ in range(2):
        await office.launched(quarantine_days=0, reminders=[{"after_days": 1}])
    await office.plan()
    mails: dict[Any, list[Any]] = {}
    for claimed in await office.claim(limit=8):
        mails.setdefault(claimed.campaign.id, []).append(claimed)
    one, other = mails.values()
    batches = ((one[0], other[0]), (other[1], one[1]))
    arrived: list[int] = []

    async def wake(tx: Tx, due: Any) -> None:
        """Once the other one holds all it takes, or waits."""
        (process,) = await fetch(tx, "SELECT pg_backend_pid() AS id")
        arrived.append(process["id"])
        await until(lambda: other_is_as_far(process["id"]))
        await wake_campaigns(tx, due)

    async def other_is_as_far(process: int) -> bool:
        waits = "SELECT pid FROM pg_locks WHERE NOT granted AND pid <> :process"
        return len(arrived) == 2 or bool(await rows(office.engine, waits, process=process))

    async def settled(pair: tuple[Any, Any]) -> int:
        ends = (MailEnd.NOT_SENT, MailEnd.SENT)
        async with office.engine.write() as tx:
            said = [MailSettlement(mail, end) for mail, end in zip(pair, ends, strict=True)]
            return await settle_invitations(tx, said, now=office.now)

    with patch.object(settle, "wake_campaigns", wake):
        assert await asyncio.gather(*map(settled, batches)) == [2, 2]
