"""A campaign that knows enough asks no more, of everybody or of a segment, and gives back whom it planned to ask."""

from typing import Any

from tests.operations.invitations.office import DAY, HOUR, Office
from tests.operations.invitations.test_coming_turns import decided


async def track(office: Office, key: str, **fields: Any) -> None:
    said = {"key": key, "source": "recipient", "kind": "text", **fields}
    reply = await office.tenant.api.post("/v1/tracked-properties", json=said)
    assert reply.is_success, reply.text


async def states_of(office: Office, campaign: dict[str, Any]) -> dict[str, str]:
    """By recipient."""
    listed = await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}/invitations")
    return {one["recipient_id"]: one["state"] for one in listed.json()["data"]}


async def answer(office: Office, campaign: dict[str, Any], recipient: str, **fields: Any) -> None:
    said = {"campaign_id": campaign["id"], "recipient_id": recipient, "score": 9, "occasion": recipient, **fields}
    reply = await office.tenant.api.post("/v1/responses", json=said)
    assert reply.status_code == 201, reply.text


async def test_each_bucket_of_a_number_is_a_segment(office: Office) -> None:
    await track(office, "seats", kind="number", buckets=[10, 100])
    people = {seats: (await office.people(f"p{seats}", properties={"seats": seats}))[0] for seats in (3, 7, 10, 250)}
    campaign = await office.launched(stop={"answers": 1, "property": "seats"}, reminders=[])
    await office.plan()
    await answer(office, campaign, people[3])

    await office.tend()

    states = await states_of(office, campaign)
    assert {seats: states[person] for seats, person in people.items()} == {
        3: "released", 7: "released", 10: "planned", 250: "planned"
    }  # fmt: skip


async def test_each_month_of_a_date_is_a_segment_and_so_is_what_no_room_is_left_for(office: Office) -> None:
    await track(office, "since", kind="date", buckets="month")
    await track(office, "plan", value_limit=1)
    said = {"a": ("2026-01-05", "pro"), "b": ("2026-01-30", "free"), "c": ("2026-02-01", "team"), "d": (None, None)}
    people = {
        name: (await office.people(name, properties={"since": since, "plan": plan}))[0]
        for name, (since, plan) in said.items()
    }
    by_month = await office.launched(stop={"answers": 1, "property": "since"})
    by_plan = await office.launched(stop={"answers": 1, "property": "plan"})
    await office.plan()
    await answer(office, by_month, people["a"])
    await answer(office, by_plan, people["a"])  # the only plan with a place of its own
    await answer(office, by_plan, people["b"])  # counted as one of the others

    await office.tend()

    released = [
        {name for name, person in people.items() if (await states_of(office, campaign))[person] == "released"}
        for campaign in (by_month, by_plan)
    ]
    assert released == [{"a", "b"}, {"a", "b", "c"}]


async def test_not_one_more_mail_leaves_once_enough_is_known(office: Office) -> None:
    people = await office.people(*(f"p{at}" for at in range(5)))
    campaign = await office.launched(stop={"answers": 2})
    await office.plan()
    for person in people[:2]:
        await answer(office, campaign, person)
    office.now += DAY

    assert await office.claim() == []
    assert await office.states(campaign) == {"released": 5}


async def test_a_margin_of_error_is_enough_too(office: Office) -> None:
    people = await office.people(*(f"p{at}" for at in range(8)))
    campaign = await office.launched(stop={"margin": 50})
    for person in people[:6]:  # all promoters: 14 points
        assert (await office.states(campaign)).get("released") is None
        await answer(office, campaign, person)
    await office.plan()
    office.now += DAY

    assert await office.claim() == []


async def test_what_happens_after_enough_is_known_is_asked_about_no_more(office: Office) -> None:
    await track(office, "store", source="response")
    campaign = await office.launched(
        trigger={"kind": "touchpoint", "name": "visited"}, stop={"answers": 1, "property": "store"}, quarantine_days=0
    )
    (ada,) = await office.people("ada")
    await answer(office, campaign, ada, properties={"store": "Rome"})
    for store in ("Rome", "Oslo"):
        said = {"name": "visited", "recipient_id": ada, "properties": {"store": store}}
        reply = await office.tenant.api.post("/v1/touchpoints", json=said)
        assert reply.status_code == 201, reply.text
    office.now += HOUR

    (asked,) = await office.claim()

    assert asked.addressee.properties["store"] == "Oslo"


async def test_who_is_due_again_and_again_is_not_planned_again_and_again(office: Office) -> None:
    (ada, _) = await office.people("ada", "bob")
    campaign = await office.launched(trigger={"kind": "after_answer", "days": 5}, stop={"answers": 1})
    await office.plan()
    await answer(office, campaign, ada)
    await office.tend()
    assert await office.states(campaign) == {"released": 2}
    office.now += 10 * DAY

    await office.plan()

    assert await office.states(campaign) == {"released": 2}


async def test_whoever_comes_into_a_wave_that_knows_enough_is_told_so(office: Office) -> None:
    (ada,) = await office.people("ada")
    evenly = {"kind": "every", "count": 1, "unit": "months", "spread": "evenly"}
    campaign = await office.launched(trigger=evenly, stop={"answers": 1})
    await office.plan()
    await answer(office, campaign, ada)
    await office.engine_says("UPDATE score_rollups SET wave = 1")  # by the mail that she got

    (bob,) = await office.people("bob")

    assert await decided(office, campaign, bob) == ("skip", "enough_known")
