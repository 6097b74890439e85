"""A workspace, or a person, that moves to another time zone: nobody is asked a second time, or at night."""

from datetime import UTC, datetime

import pytest

from tests.operations.invitations.office import DAY, HOUR, Office

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
TOKYO, LAGOS = "Asia/Tokyo", "Africa/Lagos"  # nine hours ahead of UTC, and one, always
SUMMER = datetime(2026, 7, 7, 9, tzinfo=UTC)


async def move_to(office: Office, zone: str) -> None:
    """Then whatever looks at its campaigns anew does so at once."""
    assert (await office.tenant.api.patch("/v1/workspace", json={"time_zone": zone})).status_code == 200
    await office.engine_says("UPDATE campaigns SET plan_due_at = '2026-01-01'")


@pytest.mark.parametrize("zones", [("UTC", NEW_YORK), (BERLIN, "UTC"), (NEW_YORK, "UTC")])
async def test_a_new_time_zone_opens_no_wave_again(office: Office, zones: tuple[str, str]) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger={"kind": "every", "count": 1, "unit": "weeks"}, quarantine_days=0)
    await office.engine_says(f"UPDATE campaigns SET launched_at = '{SUMMER}'")
    office.now = SUMMER + 27 * 7 * DAY + HOUR + HOUR / 2
    await move_to(office, zones[0])
    assert await office.send(within=HOUR) == ["ada"]

    await move_to(office, zones[1])

    assert await office.send(within=4 * HOUR) == []
    assert await office.send(within=6 * DAY) == []
    assert await office.send(within=DAY) == ["ada"]
    waves = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/waves")).json()["data"]
    assert [wave["number"] for wave in waves] == [2, 1]


async def due_at(office: Office) -> str:
    """Of all that is planned."""
    await office.plan()
    return " ".join(sorted(at.strftime("%H:%M") for at in await office.dues() if at is not None))


async def test_who_is_asked_about_a_date_is_asked_by_the_clock_of_where_they_live_now(office: Office) -> None:
    assert (await office.tenant.api.patch("/v1/workspace", json={"time_zone": "UTC"})).status_code == 200
    exam_on = (office.now + 3 * DAY).date().isoformat()
    (ada,) = await office.people("ada", properties={"exam_on": exam_on}, time_zone=TOKYO)
    await office.people("bob", properties={"exam_on": exam_on})
    await office.launched(trigger={"kind": "date_property", "property": "exam_on", "at": "09:00"})
    assert await due_at(office) == "00:00 09:00"

    await office.tenant.api.patch(f"/v1/recipients/{ada}", json={"time_zone": LAGOS})
    assert await due_at(office) == "08:00 09:00"

    assert (await office.tenant.api.patch("/v1/workspace", json={"time_zone": TOKYO})).status_code == 200
    office.now = datetime.now(UTC)
    assert await due_at(office) == "00:00 08:00"
