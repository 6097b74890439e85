"""How long an open wave waits may be edited: what the plan then says is what happens."""

from typing import Any

import pytest

from tests.askings import an_asking
from tests.campaigns import patch
from tests.operations.invitations.office import DAY, HOUR, Office

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


async def busy(office: Office) -> None:
    """Ada was asked just now."""
    await office.people("ada")
    await office.launched()
    assert await office.send(within=HOUR) == ["ada"]


async def edited(office: Office, campaign: dict[str, Any], **asking: Any) -> tuple[int, int]:
    """How many were due by the plan before, and are after."""
    plan = (await patch(office.tenant, campaign, asking=an_asking(**asking))).json()["plan"]
    return plan["before"]["due"], plan["after"]["due"]


async def test_a_wave_that_waits_longer_asks_who_becomes_free_by_then(office: Office) -> None:
    await busy(office)
    campaign = await office.launched(wave_days=5, quarantine_days=10)
    await office.plan()
    assert await office.claim() == []
    assert await office.states(campaign) == {"quarantine": 1}

    assert await edited(office, campaign, wave_days=20, quarantine_days=10) == (0, 1)

    assert await office.send(within=9 * DAY) == []
    assert await office.send(within=2 * DAY) == ["ada"]


@pytest.mark.parametrize("days", [7, 20])
async def test_no_wave_waits_into_the_next(office: Office, days: int) -> None:
    await busy(office)
    campaign = await office.launched(trigger=WEEKLY, wave_days=5, quarantine_days=10)
    await office.plan()
    await office.claim()

    assert await edited(office, campaign, trigger=WEEKLY, wave_days=days, quarantine_days=10) == (0, 0)
    assert await edited(office, campaign, trigger=WEEKLY, wave_days=5, quarantine_days=6) == (0, 0)
    assert await edited(office, campaign, trigger=WEEKLY, wave_days=days, quarantine_days=6) == (0, 1)

    assert await office.send(within=7 * DAY - HOUR) == ["ada"]
    assert await office.states(campaign) == {"sent": 1}


async def test_a_wave_that_waits_no_longer_is_over(office: Office) -> None:
    await busy(office)
    campaign = await office.launched(wave_days=20, quarantine_days=10)
    await office.plan()
    assert await office.claim() == []
    office.now += 6 * DAY

    assert await edited(office, campaign, wave_days=5, quarantine_days=10) == (1, 0)

    assert await office.send(within=6 * DAY) == []
    await office.tend()
    assert await office.states(campaign) == {"too_late": 1}
