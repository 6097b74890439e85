"""Campaigns that stood back for another's ask have their turn where that mail was never taken."""

from datetime import timedelta
from typing import Any

import pytest

from app.operations.invitations.settle import MailEnd
from tests.operations.invitations.office import DAY, HOUR, Office

AFTER = {"kind": "after_answer", "days": 300}


@pytest.mark.parametrize("behind", [{"wave_days": 14}, {"trigger": AFTER}])
async def test_who_stood_back_asks_where_nobody_took_the_others_mail(office: Office, behind: dict[str, Any]) -> None:
    """Skipped for a quarantine that outlasts its wave, or waiting for its end."""
    (ada,) = await office.people("ada")
    important = await office.launched(priority=50)
    unimportant = await office.launched(**behind)
    await office.plan()
    (mail,) = await office.claim()
    assert await office.claim() == []

    await office.settle([mail], MailEnd.FAILED)

    assert await office.asked_at(ada) is None
    assert await office.send(within=timedelta(0)) == ["ada"]
    assert (await office.states(important), await office.states(unimportant)) == ({"failed": 1}, {"sent": 1})


async def test_whose_wave_is_over_stays_skipped(office: Office) -> None:
    await office.people("ada")
    await office.launched(priority=50)
    unimportant = await office.launched(wave_days=1)
    await office.plan()
    (mail,) = await office.claim()
    assert await office.claim() == []
    office.now += DAY + HOUR

    await office.settle([mail], MailEnd.FAILED)

    assert await office.send(within=timedelta(0)) == []
    assert await office.states(unimportant) == {"quarantine": 1}
