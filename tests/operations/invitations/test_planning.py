"""Which people a campaign plans to ask, and when: waves, samples, answers, dates, and the end of it."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.asking.invitation import MessageKind
from tests.askings import an_asking
from tests.campaigns import create, patch
from tests.operations.invitations.office import DAY, HOUR, Office

MONTHLY = {"kind": "every", "count": 1, "unit": "months"}
TOKYO = ZoneInfo("Asia/Tokyo")
WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


async def waves(office: Office, campaign: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/waves")).json()["data"])


async def test_a_wave_asks_everybody_once_and_the_next_one_again(office: Office) -> None:
    await office.people("ada", "bob")
    await office.launched(trigger=MONTHLY, quarantine_days=0)

    assert sorted(await office.send(within=5 * DAY)) == ["ada", "bob"]
    assert sorted(await office.send(within=30 * DAY)) == ["ada", "bob"]


async def test_planning_twice_plans_once(office: Office) -> None:
    await office.people("ada", "bob")
    campaign = await office.launched()
    await office.plan()
    await office.engine_says("UPDATE campaigns SET plan_due_at = now()")
    await office.plan()

    assert await office.states(campaign) == {"planned": 2}
    assert len(await waves(office, campaign)) == 1


async def test_who_asks_once_never_opens_a_second_wave(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(quarantine_days=0)
    assert await office.send() == ["ada"]

    await office.engine_says("UPDATE campaigns SET starts_at = now() + interval '1 hour', plan_due_at = now()")
    assert await office.send() == []
    assert len(await waves(office, campaign)) == 1


async def test_after_a_long_stop_only_the_latest_wave_is_caught_up_with(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger=WEEKLY, quarantine_days=0)
    await office.send()

    office.now += timedelta(days=37)
    assert await office.send(within=2 * DAY) == ["ada"]
    assert len(await waves(office, campaign)) == 2


async def test_whom_a_sample_left_out_comes_first_the_next_time(office: Office) -> None:
    everybody = [f"p{at}" for at in range(9)]
    await office.people(*everybody)
    await office.launched(trigger=WEEKLY, sample={"percent": 34}, quarantine_days=0)

    gone = [name for _ in range(3) for name in await office.send(within=7 * DAY - timedelta(hours=6))]

    assert len(gone) >= 9
    assert set(gone) >= set(everybody)


async def test_an_even_spread_asks_each_person_at_their_own_moment(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(8)))
    campaign = await office.launched(trigger={**MONTHLY, "spread": "evenly"})
    await office.plan()

    listed = (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/invitations")).json()["data"]

    assert len({one["due_at"][:10] for one in listed}) >= 4


async def test_a_wave_waits_for_people_who_become_free_and_skips_the_others(office: Office) -> None:
    await office.people("ada")
    await office.launched()
    await office.send()
    patient = await office.launched(quarantine_days=10, wave_days=14)
    hasty = await office.launched(quarantine_days=10, wave_days=3)

    assert await office.send(within=12 * DAY) == ["ada"]
    assert await office.states(patient) == {"sent": 1}
    assert await office.states(hasty) == {"quarantine": 1}


async def test_the_more_important_campaign_gets_the_person(office: Office) -> None:
    await office.people("ada")
    unimportant, important = await office.launched(), await office.launched(priority=50)

    await office.send(within=3 * DAY)

    assert await office.states(important) == {"sent": 1}
    assert await office.states(unimportant) == {"quarantine": 1}


async def test_people_are_asked_again_some_days_after_their_answer(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger={"kind": "after_answer", "days": 30}, quarantine_days=20)
    assert await office.send() == ["ada"]

    await office.answer(campaign, ada)

    assert await office.send(within=25 * DAY) == []
    assert await office.send(within=7 * DAY) == ["ada"]


async def test_a_date_brings_an_invitation_and_moving_it_moves_that(office: Office) -> None:
    exam = (office.now + timedelta(days=1)).date()
    (ada,) = await office.people("ada", properties={"exam_on": exam.isoformat()})
    campaign = await office.launched(trigger={"kind": "date_property", "property": "exam_on", "offset_days": 1})
    await office.plan()
    later = (exam + timedelta(days=20)).isoformat()

    await office.tenant.api.patch(f"/v1/recipients/{ada}", json={"properties": {"exam_on": later}})

    assert await office.send(within=19 * DAY) == []
    assert await office.send(within=4 * DAY) == ["ada"]
    assert await office.states(campaign) == {"sent": 1}


async def test_moving_the_hour_of_a_date_moves_what_is_planned(office: Office) -> None:
    trigger = {"kind": "date_property", "property": "exam_on"}
    exam = (office.now + 5 * DAY).date()
    await office.people("ada", properties={"exam_on": exam.isoformat()}, time_zone="Asia/Tokyo")
    campaign = await office.launched(trigger=trigger)
    await office.plan()
    assert await office.dues() == [datetime.combine(exam, time(9), tzinfo=TOKYO)]

    edited = await patch(office.tenant, campaign, asking=an_asking(trigger={**trigger, "at": "14:30"}))

    assert edited.json()["asking"]["trigger"]["at"] == "14:30"
    office.now += HOUR
    await office.plan()
    assert await office.dues() == [datetime.combine(exam, time(14, 30), tzinfo=TOKYO)]


async def test_a_plan_shows_at_which_hour_a_date_is_asked_about(office: Office) -> None:
    exam = (office.now + 5 * DAY).date().isoformat()
    await office.people("ada", properties={"exam_on": exam})
    trigger = {"kind": "date_property", "property": "exam_on", "at": "16:00"}
    draft = await create(office.tenant, kind="relationship", asking=an_asking(trigger=trigger))

    reply = await office.tenant.api.post(f"/v1/campaigns/{draft['id']}/plan", json={})

    assert reply.json()["after"]["hours"] == [{"day": exam, "hour": 16, "count": 1}]


async def test_a_date_that_is_moved_back_brings_its_invitation_back(office: Office) -> None:
    exam = office.now.date()
    (ada,) = await office.people("ada", properties={"exam_on": exam.isoformat()})
    campaign = await office.launched(trigger={"kind": "date_property", "property": "exam_on", "offset_days": 2})
    await office.plan()
    place, office.now = f"/v1/recipients/{ada}", office.now + 3 * DAY

    await office.tenant.api.patch(place, json={"properties": {"exam_on": (exam + 60 * DAY).isoformat()}})
    assert await office.claim() == []
    assert await office.states(campaign) == {"date_moved": 1}
    await office.tenant.api.patch(place, json={"properties": {"exam_on": exam.isoformat()}})

    assert await office.send() == ["ada"]


async def test_enough_answers_release_what_was_not_sent(office: Office) -> None:
    people = await office.people(*(f"p{at}" for at in range(10)))
    campaign = await office.launched(stop={"answers": 2}, pace={"per_hour": 2})
    await office.plan()
    office.now += DAY
    asked = await office.claim()
    await office.settle(asked)
    for one in asked:
        await office.answer(campaign, next(person for person in people if person.endswith(one.addressee.id.hex)))

    await office.tend()

    assert (await office.states(campaign)).keys() <= {"sent", "answered", "released"}
    assert (await office.states(campaign))["released"] == 8


async def test_a_completed_campaign_releases_what_it_did_not_send(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()

    await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/complete")

    assert await office.send() == []
    assert await office.states(campaign) == {"released": 1}


async def test_a_variant_is_drawn_for_each_person_and_stays(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(20)))
    await office.launched(
        trigger=WEEKLY,
        quarantine_days=0,
        variants=[{"key": "a"}, {"key": "b", "question": {"en": "Would you?", "de": "Und?"}}],
    )
    drawn: dict[str, set[str | None]] = {}
    for _ in range(2):
        await office.plan()
        office.now += DAY
        claimed = await office.claim()
        await office.settle(claimed)
        assert {one.kind for one in claimed} == {MessageKind.FIRST}
        for one in claimed:
            drawn.setdefault(one.addressee.email, set()).add(one.variant)
        office.now += 7 * DAY

    assert all(len(variants) == 1 for variants in drawn.values())
    assert set().union(*drawn.values()) == {"a", "b"}


async def test_who_is_in_quarantine_takes_nobodys_place(office: Office) -> None:
    accounts = [f"acme{at}" for at in range(8)]
    for account in accounts:
        await office.people(f"busy-{account}", account={"external_id": account}, properties={"is_busy": True})
    await office.launched(audience={"field": "properties.is_busy", "eq": True})
    await office.send()
    for account in accounts:
        await office.people(f"free-{account}", account={"external_id": account})

    await office.launched(most_per_account=1)
    await office.launched(sample={"percent": 50}, quarantine_days=60)
    assert sorted(await office.send()) == sorted(f"free-{account}" for account in accounts)
