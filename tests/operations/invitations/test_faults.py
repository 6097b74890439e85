"""What is wrong with one campaign, or one person's data, holds up nobody else."""

from datetime import date, timedelta

import pytest

from app.db.statements import fetch
from app.domain import ids
from app.domain.asking import date_slots
from app.domain.asking.triggers import OnDate
from tests.operations.invitations.office import DAY, HOUR, Office

MISSING_DAY = "2027-02-30"  # property values are text, and this looks like a day
DAY_AFTER = date(2027, 3, 1)


async def test_a_day_that_does_not_exist_is_nobodys_turn(office: Office) -> None:
    offset = (office.now.date() - DAY_AFTER).days
    campaign = await office.launched(trigger={"kind": "date_property", "property": "renews", "offset_days": offset})
    await office.people("ada", properties={"renews": MISSING_DAY})
    await office.people("bob", properties={"renews": DAY_AFTER.isoformat()})

    assert await office.send(within=2 * DAY) == ["bob"]
    assert await office.states(campaign) == {"sent": 1}


@pytest.mark.parametrize("never", ["9999-12-31", "2027-02-30", "0001-01-01"])
async def test_a_date_that_moves_to_what_is_no_day_is_nobodys_turn(office: Office, never: str) -> None:
    trigger = {"kind": "date_property", "property": "ends", "offset_days": 1}
    tomorrow = {"properties": {"ends": (office.now + DAY).date().isoformat()}}
    await office.people("ada", "bob", **tomorrow)
    campaign = await office.launched(trigger=trigger)
    await office.plan()

    await office.people("ada", properties={"ends": never})
    office.now += timedelta(hours=2)
    await office.plan()
    assert await office.states(campaign) == {"date_moved": 1, "planned": 1}
    assert await office.send(within=4 * DAY) == ["bob"]


async def test_postgresql_knows_the_same_days(office: Office) -> None:
    said = [
        "2027-11-30", "2027-11-31", "2028-02-29", "2027-02-29", "1900-02-29", "2000-02-29", "2099-12-31", "2100-01-01",
        "9999-12-31", "0001-01-01", "2027-1-1", "2027-W01-1", "20270101", "2027-13-01", "2027-01-32",
        "2027-01-01T09:00", "2027-01-01 09:00", "2027-01-011", "2027-01-01\n", "", "never",
    ]  # fmt: skip
    statement = f"SELECT v, v ~ '^{date_slots.DAY}([T ]|$)' AS is_day FROM unnest($1::text[]) AS g (v)"
    async with office.engine.read() as tx:
        known = {row["v"]: row["is_day"] for row in await fetch(tx, statement, said)}
    by_us = {one: date_slots.date_in({"ends": one}, OnDate("ends")) is not None for one in said}
    assert known == by_us
    assert [one for one in said if by_us[one]] == [
        "2027-11-30", "2028-02-29", "2000-02-29", "2099-12-31", "2027-01-01T09:00", "2027-01-01 09:00"
    ]  # fmt: skip


async def test_a_campaign_that_cannot_be_planned_leaves_the_others_alone_and_is_tried_again(office: Office) -> None:
    await office.people("ada")
    broken, sound = await office.launched(), await office.launched(quarantine_days=0)
    broken_id = ids.parsed("campaign", broken["id"])
    was = f"UPDATE campaigns SET plan_due_at = plan_due_at - interval '1 minute' WHERE id = '{broken_id}'"
    await office.engine_says(was)  # it is looked at first
    await office.engine_says(f"UPDATE campaigns SET metric = 'nps', asking = '[]' WHERE id = '{broken_id}'")

    await office.plan()
    assert (await office.states(broken), await office.states(sound)) == ({}, {"planned": 1})

    await office.engine_says(f"UPDATE campaigns b SET asking = s.asking FROM campaigns s WHERE b.id = '{broken_id}'"
                             f" AND s.id = '{ids.parsed('campaign', sound['id'])}'")  # fmt: skip
    office.now += timedelta(minutes=10)
    await office.plan()
    assert await office.states(broken) == {"planned": 1}


async def test_invitations_that_find_no_moment_leave_the_others_alone(office: Office) -> None:
    of_date = {"kind": "date_property", "property": "renews"}
    await office.people("ada", properties={"renews": office.now.date().isoformat()})
    broken, sound = await office.launched(trigger=of_date), await office.launched(quarantine_days=0)
    await office.plan()
    spoilt = f"UPDATE invitations SET due_at = NULL, slot = 'date:renews:{MISSING_DAY}'"
    await office.engine_says(f"{spoilt} WHERE campaign_id = '{ids.parsed('campaign', broken['id'])}'")
    await office.engine_says("UPDATE invitations SET due_at = NULL")

    await office.plan()
    assert [one.campaign.id for one in await office.claim()] == [ids.parsed("campaign", sound["id"])]
    assert await office.states(broken) == {"planned": 1}


async def test_an_ask_that_perhaps_arrived_stays_unknown_when_its_link_expires(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(expires_after_days=5)
    await office.plan()
    await office.claim()  # and whoever claimed it dies

    office.now += 30 * DAY
    await office.tend()
    await office.tend()
    assert await office.states(campaign) == {"unknown": 1}


async def test_who_answered_long_ago_is_reminded_of_a_new_ask(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(
        trigger={"kind": "every", "count": 1, "unit": "weeks"}, quarantine_days=0, reminders=[{"after_days": 2}]
    )
    await office.send()
    await office.answer(campaign, ada)
    office.now += 6 * DAY
    assert await office.send(within=6 * DAY) == ["ada", "ada"]


async def test_what_an_earlier_trigger_planned_is_not_sent_any_more(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    place = f"/v1/campaigns/{campaign['id']}"
    said = {"asking": {**campaign["asking"], "trigger": {"kind": "touchpoint", "name": "never"}}}
    assert (await office.tenant.api.patch(place, json=said)).status_code == 200
    assert await office.send(within=HOUR) == []
    assert await office.states(campaign) == {"trigger_changed": 1}


async def test_who_sent_it_back_is_not_reminded_of_the_order(office: Office) -> None:
    (ada,) = await office.people("ada")
    ordered = {"kind": "touchpoint", "name": "ordered", "cancelled_by": ["returned"]}
    await office.launched(trigger=ordered, reminders=[{"after_days": 2}])
    for name in ("ordered", "returned"):
        said = {"name": name, "recipient_id": ada, "external_id": "o-1"}
        assert (await office.tenant.api.post("/v1/touchpoints", json=said)).status_code == 201
        assert await office.send(within=4 * DAY if name == "returned" else HOUR) == (
            [] if name == "returned" else ["ada"]
        )


async def test_a_campaign_that_cannot_be_read_any_more_leaves_the_others_alone(office: Office) -> None:
    await office.people("ada")
    broken, sound = await office.launched(), await office.launched(quarantine_days=0)
    await office.plan()
    await office.engine_says("UPDATE invitations SET due_at = NULL")
    nonsense = """{"trigger": {"kind": "once"}, "audience": {"field": "properties.a", "eq": 1e308}}"""
    place = f"id = '{ids.parsed('campaign', broken['id'])}'"
    await office.engine_says(f"UPDATE campaigns SET asking = '{nonsense}' WHERE {place}")

    assert await office.send(within=HOUR) == ["ada"]
    assert await office.states(sound) == {"sent": 1}
