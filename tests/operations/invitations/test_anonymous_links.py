"""Mails of anonymous campaigns: their links can be made once, and by nobody again."""

from datetime import timedelta

from sqlalchemy import update

from app.db.tables import campaigns
from app.domain import ids
from app.domain.asking.invitation import ClaimedInvitation, MessageKind
from app.domain.mail.invitation_letter import letter_to
from app.domain.survey.survey_token import survey_token, token_digest
from app.queries.survey_links import find_link
from tests.builders import rows
from tests.operations.invitations.office import DAY, LINK_KEY, Office


async def the_next_mail(office: Office) -> ClaimedInvitation:
    await office.plan()
    (claimed,) = await office.claim()
    await office.settle([claimed])
    return claimed


async def anonymous(office: Office) -> None:
    campaign = await office.launched(reminders=[{"after_days": 4}])
    async with office.engine.write() as tx:
        hidden = update(campaigns).values(is_anonymous=True)
        await tx.execute(hidden.where(campaigns.c.id == ids.parsed("campaign", campaign["id"])))


async def test_a_reminder_brings_another_link_and_the_first_leads_nowhere(office: Office) -> None:
    await office.people("ada")
    await anonymous(office)
    first = await the_next_mail(office)
    office.now += 4 * DAY + timedelta(minutes=1)
    reminder = await the_next_mail(office)
    assert (reminder.kind, reminder.id) == (MessageKind.REMINDER, first.id)
    assert len({first.token, reminder.token, survey_token(LINK_KEY, first.id)}) == 3
    (kept,) = await rows(office.engine, "SELECT token_hash FROM invitations WHERE id = :id", id=first.id)
    assert kept["token_hash"] == token_digest(reminder.token)


async def test_the_first_mail_still_unsubscribes_when_a_reminder_has_come(office: Office) -> None:
    await office.people("ada")
    await anonymous(office)
    first = await the_next_mail(office)
    office.now += 4 * DAY + timedelta(minutes=1)
    reminder = await the_next_mail(office)
    letters = [letter_to(one, public_url="https://nps.example", now=office.now) for one in (first, reminder)]
    (token,) = {letter.unsubscribe_url.removeprefix("https://nps.example/u/") for letter in letters}
    async with office.engine.read() as tx:
        found = await find_link(tx, token_digest(token), to_leave=True)
        assert found is not None
        assert found.invitation_id == first.id
        assert await find_link(tx, token_digest(token)) is None  # and opens no survey
        assert await find_link(tx, token_digest(first.token), to_leave=True) is None
