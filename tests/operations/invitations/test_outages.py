"""What did not leave, because a server was away or time was up, counts as mail nowhere."""

from collections.abc import Sequence

import pytest

from app.domain.asking.invitation import ClaimedInvitation
from app.operations.invitations.claim import MailLease, claim_due_invitations
from app.operations.invitations.settle import MOST_TRIES, MailEnd, MailSettlement, settle_invitations
from tests.builders import rows
from tests.operations.invitations.office import DAY, HOUR, LINK_KEY, Office

SLOWLY = {"warm_up": {"first_day": 2, "growth": 2.0}}


async def counted(office: Office) -> int:
    (row,) = await rows(office.engine, "SELECT sum(sent_count)::int AS mails FROM sending_days")
    return int(row["mails"])


async def put_off(office: Office, claimed: Sequence[ClaimedInvitation]) -> None:
    """By the server, which answered."""
    said = [MailSettlement(one, MailEnd.NOT_SENT, "recipient", 451) for one in claimed]
    async with office.engine.write() as tx:
        await settle_invitations(tx, said, now=office.now)


@pytest.mark.parametrize("pace", [SLOWLY, {"per_hour": 2}, {"per_domain_per_hour": 2}])
@pytest.mark.parametrize("ended", [MailEnd.NOT_SENT, MailEnd.HANDED_BACK])
async def test_what_did_not_leave_uses_up_no_cap(office: Office, pace: dict[str, object], ended: MailEnd) -> None:
    await office.people("ada", "bob")
    await office.launched(pace=pace)
    await office.plan()
    await office.settle(await office.claim(), ended)
    assert await counted(office) == 0

    office.now += HOUR / 6
    assert len(await office.claim()) == 2
    assert await counted(office) == 2


async def test_an_outage_is_no_day_of_the_warm_up(office: Office) -> None:
    await office.people("ada", "bob", "cyd", "dan")
    await office.launched(pace=SLOWLY)
    await office.plan()
    await office.settle(await office.claim(), MailEnd.NOT_SENT)

    office.now += DAY
    assert len(await office.claim()) == 2


async def test_who_is_to_be_asked_waits_for_a_server_that_is_away_for_a_day(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    begun_at = office.now
    while office.now < begun_at + DAY:
        await office.settle(await office.claim(), MailEnd.NOT_SENT)
        office.now += HOUR / 6

    office.now += DAY / 4
    assert await office.send() == ["ada"]
    assert await office.states(campaign) == {"sent": 1}


async def test_what_a_server_put_off_counts_for_the_hour_but_is_no_mail_sent(office: Office) -> None:
    await office.people("ada", "bob")
    await office.launched(pace={"per_hour": 2})
    await office.plan()
    await put_off(office, await office.claim())
    assert await counted(office) == 0

    office.now += HOUR / 6
    assert await office.claim() == []
    office.now += HOUR
    assert len(await office.claim()) == 2


async def test_what_is_handed_back_is_decided_about_anew_however_often(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    for _ in range(MOST_TRIES + 1):
        claimed = await office.claim()
        assert len(claimed) == 1
        await office.settle(claimed, MailEnd.HANDED_BACK)

    assert await office.states(campaign) == {"planned": 1}
    assert await office.asked_at(ada) is None
    assert await rows(office.engine, "SELECT id FROM messages") == []


async def test_what_is_held_back_goes_out_when_nothing_holds_it_any_more(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    lease = MailLease.of(60)
    async with office.engine.write() as tx:
        claimed, is_more = await claim_due_invitations(
            tx, lease=lease, limit=9, link_key=LINK_KEY, is_live_held=True, now=office.now
        )

    assert (claimed, is_more) == ([], False)
    assert await office.states(campaign) == {"planned": 1}
    assert await office.send() == ["ada"]
