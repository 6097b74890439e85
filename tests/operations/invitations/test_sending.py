"""Claims, and what becomes of them: nobody is asked twice, whoever dies when."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from app.domain.asking.invitation import MessageKind
from app.operations.invitations.settle import MOST_TRIES, MailEnd
from tests.operations.invitations.office import DAY, HOUR, Office
from tests.people import a_follow_up


async def one_claim(office: Office) -> tuple[dict[str, object], str]:
    (ada,) = await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    office.now += DAY
    return campaign, ada


async def test_what_is_sent_moves_the_persons_asked_at(office: Office) -> None:
    campaign, ada = await one_claim(office)

    claimed = await office.claim()

    assert await office.states(campaign) == {"sending": 1}
    assert await office.asked_at(ada) == office.now
    await office.settle(claimed)
    assert await office.states(campaign) == {"sent": 1}


async def test_what_was_claimed_is_not_claimed_again(office: Office) -> None:
    await one_claim(office)

    assert len(await office.claim()) == 1
    assert await office.claim() == []


async def test_workers_that_race_share_what_is_due(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(60)))
    await office.launched()
    await office.plan()
    office.now += DAY

    claims = await asyncio.gather(*(office.claim(limit=20) for _ in range(6)))

    claimed = [one.id for claim in claims for one in claim]
    assert len(claimed) == len(set(claimed))


async def test_two_campaigns_that_want_the_same_person_ask_once(office: Office) -> None:
    await office.people("ada")
    first, second = await office.launched(), await office.launched()
    await office.plan()
    office.now += DAY

    await asyncio.gather(*(office.claim() for _ in range(4)))
    await office.claim()

    states = [await office.states(first), await office.states(second)]
    assert sorted(next(iter(state)) for state in states) == ["quarantine", "sending"]


async def test_a_mail_that_certainly_did_not_leave_asked_nobody(office: Office) -> None:
    campaign, ada = await one_claim(office)

    await office.settle(await office.claim(), MailEnd.NOT_SENT)

    assert await office.states(campaign) == {"planned": 1}
    assert await office.asked_at(ada) is None
    assert await office.send() == ["ada"]


async def test_it_is_not_tried_for_ever(office: Office) -> None:
    campaign, _ = await one_claim(office)

    for _ in range(MOST_TRIES):
        await office.settle(await office.claim(), MailEnd.NOT_SENT)
        office.now += 6 * HOUR

    assert await office.states(campaign) == {"failed": 1}


async def test_an_address_that_does_not_exist_is_asked_no_more(office: Office) -> None:
    campaign, ada = await one_claim(office)

    await office.settle(await office.claim(), MailEnd.FAILED, has_bounced=True)

    assert await office.states(campaign) == {"failed": 1}
    person = (await office.tenant.api.get(f"/v1/recipients/{ada}/eligibility?campaign_id={campaign['id']}")).json()
    assert person["reason"] == "bounced"


async def test_a_sender_that_dies_leaves_it_unknown_and_it_is_never_sent_again(office: Office) -> None:
    campaign, ada = await one_claim(office)
    claimed = await office.claim()
    asked_at = await office.asked_at(ada)

    office.now += HOUR
    await office.tend()

    assert await office.states(campaign) == {"unknown": 1}
    assert await office.asked_at(ada) == asked_at
    assert await office.settle(claimed) == 0
    assert await office.send(within=3 * DAY) == []


async def test_reminders_go_to_those_who_have_not_answered(office: Office) -> None:
    ada, _ = await office.people("ada", "bob")
    campaign = await office.launched(reminders=[{"after_days": 4}, {"after_days": 8}])
    assert sorted(await office.send()) == ["ada", "bob"]

    await office.answer(campaign, ada)
    reminded = await office.send(within=20 * DAY)

    assert reminded == ["bob", "bob"]


async def test_reminders_go_out_after_the_wave_is_over(office: Office) -> None:
    await office.people("ada")
    await office.launched(reminders=[{"after_days": 4}], wave_days=1)

    assert await office.send(within=6 * DAY) == ["ada", "ada"]


async def test_nobody_is_reminded_of_what_has_expired(office: Office) -> None:
    await office.people("ada")
    await office.launched(reminders=[{"after_days": 4}], expires_after_days=5)
    assert await office.send() == ["ada"]

    office.now += 5 * DAY

    assert await office.claim() == []


async def test_a_reminder_carries_the_same_link_and_moves_no_quarantine(office: Office) -> None:
    (ada,) = await office.people("ada")
    await office.launched(reminders=[{"after_days": 4}])
    await office.plan()
    office.now += DAY
    (first,) = await office.claim()
    await office.settle([first])
    asked_at = await office.asked_at(ada)

    office.now += 5 * DAY
    (reminder,) = await office.claim()

    assert reminder.kind is MessageKind.REMINDER
    assert reminder.token == first.token
    assert await office.asked_at(ada) == asked_at


async def test_nobody_of_an_account_is_asked_until_its_follow_up_is_done(office: Office) -> None:
    ada, *_ = await office.people("ada", "bob", account={"external_id": "acme"})
    await office.people("eve")
    elsewhere = await office.launched(audience={"field": "locale", "eq": "eo"})
    answer = await office.answer(elsewhere, ada, score=2)
    campaign = await office.launched(hold_open_follow_up=True)
    await office.plan()

    await a_follow_up(office.engine, office.tenant.workspace_id, answer, "assigned")
    assert await office.send(within=3 * DAY) == ["eve"]
    assert await office.states(campaign) == {"planned": 2, "sent": 1}

    await office.engine_says("UPDATE follow_ups SET state = 'resolved', resolved_at = now()")
    assert sorted(await office.send(within=2 * DAY)) == ["ada", "bob"]


async def test_an_invitation_that_nobody_answers_expires(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(expires_after_days=10, wave_days=1)
    await office.send()

    office.now += 11 * DAY
    await office.tend()
    await office.tend()

    assert await office.states(campaign) == {"expired": 1}
    assert (await office.tenant.api.get(f"/v1/campaigns/{campaign['id']}")).json()["state"] == "completed"


async def test_clocks_stand_still_in_a_blackout_for_those_whom_it_is_for(office: Office) -> None:
    await office.people("ada", locale="de")
    await office.people("bob", locale="fr")
    begins_at = datetime.now(UTC) + 2 * DAY
    dark = {"from": begins_at.isoformat(), "until": (begins_at + 10 * DAY).isoformat()}
    campaign = await office.launched(
        blackouts=[{**dark, "audience": {"field": "locale", "eq": "de"}}],
        reminders=[{"after_days": 4}, {"after_days": 6}], expires_after_days=8, wave_days=1,
    )  # fmt: skip
    assert sorted(await office.send(within=DAY)) == ["ada", "bob"]

    assert await office.send(within=7 * DAY) == ["bob", "bob"]
    office.now += DAY
    await office.tend()
    assert await office.states(campaign) == {"expired": 1, "sent": 1}
    assert await office.send(within=8 * DAY) == ["ada", "ada"]
    office.now += 2 * DAY
    await office.tend()
    assert await office.states(campaign) == {"expired": 2}


async def test_a_paused_campaign_sends_nothing_and_loses_nothing(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/pause")

    assert await office.send() == []
    await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/resume")
    assert await office.send() == ["ada"]


async def test_one_mail_domain_at_its_cap_does_not_hold_up_the_others(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(6)))
    said = [{"email": f"p{at}@elsewhere.example"} for at in range(2)]
    await office.tenant.api.post("/v1/recipients/bulk", json={"recipients": said})
    await office.launched(pace={"per_domain_per_hour": 2})
    await office.plan()
    office.now += DAY

    claimed = [one for _ in range(3) for one in await office.claim()]
    assert Counter(one.addressee.email.partition("@")[2] for one in claimed) == {
        "example.com": 2,
        "elsewhere.example": 2,
    }
    office.now += HOUR + timedelta(minutes=1)
    assert len(await office.claim()) == 2


async def test_a_new_address_is_warmed_up_day_by_day(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(30)))
    await office.launched(pace={"warm_up": {"first_day": 3, "growth": 2}})
    await office.plan()
    office.now = office.now.replace(hour=3) + DAY
    days = []
    for _ in range(3):
        days.append(sum([len(await office.claim()) for _ in range(3)]))
        office.now += DAY

    assert days == [3, 6, 12]


async def test_no_more_leave_in_an_hour_than_the_pace_allows(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(30)))
    await office.launched(pace={"per_hour": 10})
    await office.plan()
    office.now += DAY

    assert len(await office.claim()) == 10
    office.now += HOUR / 2
    assert await office.claim() == []
    office.now += HOUR
    assert len(await office.claim()) == 10
