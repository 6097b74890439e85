"""Mails of anonymous campaigns: their links can be made once, and by nobody again."""

from datetime import timedelta

from sqlalchemy import update

from app.db.tables import campaigns
from app.domain import ids
from app.domain.asking.invitation import ClaimedInvitation, MessageKind
from app.domain.survey.survey_token import survey_token, token_digest
from tests.builders import rows
from tests.operations.invitations.office import DAY, LINK_KEY, Office


async def the_next_mail(office: Office) -> ClaimedInvitation:
    await office.plan()
    (claimed,) = await office.claim()
    await office.settle([claimed])
    return claimed


async def test_a_reminder_brings_another_link_and_the_first_leads_nowhere(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(reminders=[{"after_days": 4}])
    async with office.engine.write() as tx:
        anonymous = update(campaigns).values(is_anonymous=True)
        await tx.execute(anonymous.where(campaigns.c.id == ids.parsed("campaign", campaign["id"])))
    first = await the_next_mail(office)
    office.now += 4 * DAY + timedelta(minutes=1)
    reminder = await the_next_mail(office)
    assert (reminder.kind, reminder.id) == (MessageKind.REMINDER, first.id)
    assert len({first.token, reminder.token, survey_token(LINK_KEY, first.id)}) == 3
    (kept,) = await rows(office.engine, "SELECT token_hash FROM invitations WHERE id = :id", id=first.id)
    assert kept["token_hash"] == token_digest(reminder.token)
