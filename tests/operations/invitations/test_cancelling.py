"""An order comes back while the mail about it is on its way, or after it left."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from app.db.engine import Tx
from app.operations.invitations import settle
from app.operations.invitations.settle import MailEnd
from tests.operations.invitations.office import DAY, Office
from tests.operations.invitations.test_clocks import edit

ORDERED = {"kind": "touchpoint", "name": "ordered", "delay_minutes": 0, "cancelled_by": ["returned"]}
REMINDED = {"trigger": ORDERED, "reminders": [{"after_days": 4}]}


async def happens(office: Office, person: str, name: str) -> None:
    said: dict[str, Any] = {"name": name, "recipient_id": person, "external_id": "A-1"}
    reply = await office.tenant.api.post("/v1/touchpoints", json=said)
    assert reply.status_code == 201, reply.text


@pytest.fixture
async def ada(office: Office) -> str:
    (ada,) = await office.people("ada")
    return ada


@pytest.fixture
async def campaign(office: Office, ada: str) -> dict[str, Any]:
    launched = await office.launched(**REMINDED)
    await happens(office, ada, "ordered")
    office.now = datetime.now(UTC)  # from here on it stands, and goes on by hand
    return launched


@pytest.mark.parametrize("ended", [MailEnd.NOT_SENT, MailEnd.HANDED_BACK])
async def test_a_mail_that_did_not_leave_is_not_tried_again(
    office: Office, ada: str, campaign: dict[str, Any], ended: MailEnd
) -> None:
    claimed = await office.claim()
    await happens(office, ada, "returned")
    await office.settle(claimed, ended)
    assert await office.states(campaign) == {"cancelled": 1}
    assert await office.send(within=2 * DAY) == []
    assert await office.asked_at(ada) is None


@pytest.mark.parametrize("ended", [MailEnd.SENT, MailEnd.UNKNOWN])
async def test_a_mail_that_perhaps_left_stays_asked_and_is_not_reminded_of(
    office: Office, ada: str, campaign: dict[str, Any], ended: MailEnd
) -> None:
    claimed = await office.claim()
    await happens(office, ada, "returned")
    await office.settle(claimed, ended)
    assert await office.states(campaign) == {ended.value: 1}
    assert await office.send(within=6 * DAY) == []
    assert await office.asked_at(ada) is not None


async def test_an_edit_of_reminders_reminds_nobody_of_what_came_back(
    office: Office, ada: str, campaign: dict[str, Any]
) -> None:
    await office.settle(await office.claim())
    await happens(office, ada, "returned")
    await edit(office, campaign, trigger=ORDERED, reminders=[{"after_days": 2}])
    assert await office.send(within=6 * DAY) == []


async def test_a_reminder_that_failed_is_not_tried_again(office: Office, ada: str, campaign: dict[str, Any]) -> None:
    await office.settle(await office.claim())
    office.now += 5 * DAY
    reminders = await office.claim()
    assert len(reminders) == 1
    await happens(office, ada, "returned")
    await office.settle(reminders, MailEnd.NOT_SENT)
    assert await office.send(within=2 * DAY) == []
    assert await office.states(campaign) == {"sent": 1}


async def test_who_settles_a_mail_and_who_tells_of_its_return_never_wait_for_each_other(
    office: Office, ada: str, campaign: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (bob,) = await office.people("bob")
    claimed = await office.claim()
    wake, holds, may_wake = settle.wake_campaigns, asyncio.Event(), asyncio.Event()

    async def wake_later(tx: Tx, due: Sequence[Any]) -> None:
        holds.set()
        await asyncio.wait_for(may_wake.wait(), 20)
        await wake(tx, due)

    monkeypatch.setattr(settle, "wake_campaigns", wake_later)
    settling = asyncio.create_task(office.settle(claimed))
    await holds.wait()
    said = [
        {"name": "ordered", "recipient_id": bob, "external_id": "B-1"},
        {"name": "returned", "recipient_id": ada, "external_id": "A-1"},
    ]
    telling = asyncio.create_task(office.tenant.api.post("/v1/touchpoints/bulk", json={"touchpoints": said}))
    await asyncio.wait({telling}, timeout=3)  # it would wait longer for a row that is held
    may_wake.set()
    assert (await settling, (await telling).status_code) == (1, 200)
    assert await office.send(within=6 * DAY) == ["bob", "bob"]
