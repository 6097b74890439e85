"""What is wrong with one campaign, or one person's data, holds up nobody else."""

from datetime import date, timedelta

from app.domain import ids
from tests.operations.invitations.office import DAY, Office

MISSING_DAY = "2027-02-30"  # property values are text, and this looks like a day
DAY_AFTER = date(2027, 3, 1)


async def test_a_day_that_does_not_exist_is_nobodys_turn(office: Office) -> None:
    offset = (office.now.date() - DAY_AFTER).days
    campaign = await office.launched(trigger={"kind": "date_property", "property": "renews", "offset_days": offset})
    await office.people("ada", properties={"renews": MISSING_DAY})
    await office.people("bob", properties={"renews": DAY_AFTER.isoformat()})

    assert await office.send(within=2 * DAY) == ["bob"]
    assert await office.states(campaign) == {"sent": 1}


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
