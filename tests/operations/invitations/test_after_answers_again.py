"""Whom a campaign could not ask so long after an answer is not forgotten for ever."""

from datetime import timedelta

from app.domain import ids
from app.operations.invitations.settle import MailEnd
from tests.operations.invitations.office import DAY, HOUR, Office
from tests.operations.invitations.test_coming_turns import decided
from tests.operations.invitations.test_open_waves import plan_of

AFTER = {"kind": "after_answer", "days": 30}
AT_ONCE = timedelta(0)


async def fails(office: Office, *, has_bounced: bool) -> None:
    await office.plan()
    (mail,) = await office.claim()
    await office.settle([mail], MailEnd.FAILED, has_bounced=has_bounced)


async def test_whose_address_is_mended_is_asked_after_all(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger=AFTER)
    await fails(office, has_bounced=True)
    assert await office.send(within=2 * HOUR) == []

    await office.tenant.api.patch(f"/v1/recipients/{ada}", json={"email": "ada2@example.com"})

    assert await decided(office, campaign, ada) == ("send", None)
    assert await office.send(within=2 * HOUR) == ["ada2"]
    assert await office.states(campaign) == {"sent": 1}


async def test_a_mail_that_nobody_took_is_tried_again_in_the_next_turn(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger=AFTER)
    await fails(office, has_bounced=False)

    assert await decided(office, campaign, ada) == ("wait", "not_due")
    assert (await plan_of(office, campaign))["due"] == 0
    office.now += 29 * DAY
    assert await office.send(within=AT_ONCE) == []
    office.now += DAY
    assert await office.send(within=AT_ONCE) == ["ada"]
    assert await office.states(campaign) == {"failed": 1, "sent": 1}


async def test_whose_answer_is_deleted_is_asked_as_if_there_had_been_none(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched(trigger=AFTER)
    await office.plan()
    answer = await office.answer(campaign, ada)
    assert await office.send(within=2 * HOUR) == []
    assert await office.states(campaign) == {"already_answered": 1}

    await office.tenant.api.delete(f"/v1/responses/{ids.shown('response', answer)}")

    assert await decided(office, campaign, ada) == ("send", None)
    assert await office.send(within=2 * HOUR) == ["ada"]
