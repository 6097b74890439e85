"""Whoever changes several rows takes them in the order of ARCHITECTURE.md: nobody waits in a circle."""

from typing import Any
from uuid import UUID

import pytest

from app.db.statements import fetch
from app.domain import ids
from app.domain.mail.mail_events.event import MailEvent, MailEventKind
from app.domain.survey.scanner import FlagReason
from app.domain.survey.survey_token import token_digest
from app.operations.erasure import erase_recipient
from app.operations.invitations.clocks import note_stale_clocks
from app.operations.invitations.settle import MailEnd, MailSettlement, settle_invitations
from app.operations.invitations.wake import wake_campaigns
from app.operations.mail_events import note_mail_events
from app.operations.responses.change import delete_response
from app.operations.survey_links import flag_invitation, readmit_answer, resubscribe_by_link, unsubscribe_by_link
from app.queries.responses import lock_response
from app.queries.survey_links import find_link
from tests.operations.invitations.office import DAY, Office
from tests.races import begun, unhindered

LOCK_INVITATION = "SELECT 1 FROM invitations WHERE id = $1 FOR UPDATE"
LOCK_PERSON = "SELECT 1 FROM recipients WHERE id = $1 FOR NO KEY UPDATE"
KEY = b"k" * 32


async def a_sent_wave(office: Office, *names: str, **asking: Any) -> tuple[dict[str, Any], list[Any]]:
    await office.people(*names)
    campaign = await office.launched(**asking)
    await office.plan()
    office.now += DAY
    claimed = await office.claim()
    return campaign, sorted(claimed, key=lambda one: one.id)


async def test_settling_takes_invitations_in_the_order_of_their_ids(office: Office) -> None:
    _, claimed = await a_sent_wave(office, "ada", "bob", "cay")
    said = [MailSettlement(one, MailEnd.SENT) for one in reversed(claimed)]
    async with unhindered(office.engine) as tx:
        await fetch(tx, LOCK_INVITATION, claimed[0].id)
        settling = await begun(office.engine, lambda tx: settle_invitations(tx, said, now=office.now))
        await fetch(tx, LOCK_INVITATION, claimed[2].id)
    assert await settling == 3


async def test_an_edit_of_clocks_takes_invitations_in_the_order_of_their_ids(office: Office) -> None:
    campaign, claimed = await a_sent_wave(office, "ada", "bob", "cay")
    async with office.engine.write() as tx:
        await fetch(tx, "UPDATE invitations SET token_hash = 'written anew' WHERE id = $1", claimed[0].id)
    place = office.tenant.workspace_id, ids.parsed("campaign", campaign["id"])
    async with unhindered(office.engine) as tx:
        await fetch(tx, LOCK_INVITATION, claimed[0].id)
        editing = await begun(office.engine, lambda tx: note_stale_clocks(tx, *place))
        await fetch(tx, LOCK_INVITATION, claimed[2].id)
    await editing


async def test_settling_takes_all_its_campaigns_in_order_before_anything_else(office: Office) -> None:
    await office.people("ada")
    first = await office.launched(quarantine_days=0, reminders=[{"after_days": 3}])
    second = await office.launched(quarantine_days=0, reminders=[{"after_days": 3}])
    await office.plan()
    office.now += DAY
    claimed = await office.claim()
    assert len(claimed) == 2
    work = [ids.parsed("campaign", one["id"]) for one in (first, second)]
    space = office.tenant.workspace_id
    async with office.engine.write() as tx:
        await wake_campaigns(tx, [(space, one, office.now + 9 * DAY) for one in work])
    said = [MailSettlement(one, MailEnd.SENT, has_bounced=one.campaign.id == work[1]) for one in claimed]
    async with unhindered(office.engine) as tx:
        await wake_campaigns(tx, [(space, work[0], office.now)])
        settling = await begun(office.engine, lambda tx: settle_invitations(tx, said, now=office.now))
        await wake_campaigns(tx, [(space, work[1], office.now)])
    assert await settling == 2


async def an_answer(office: Office) -> tuple[UUID, UUID, Any]:
    """Of Ada, by the link of her invitation: the person, the response and the link."""
    (ada,) = await office.people("ada")
    campaign = await office.launched()
    await office.plan()
    office.now += DAY
    (claimed,) = await office.claim()
    await office.settle([claimed])
    reply = await office.tenant.api.post(
        "/v1/responses", json={"campaign_id": campaign["id"], "recipient_id": ada, "score": 9}
    )
    response = ids.parsed("response", reply.json()["id"])
    async with office.engine.write() as tx:
        await fetch(tx, "UPDATE invitations SET response_id = $1, state = 'answered'", response)
        await fetch(tx, "UPDATE responses SET invitation_id = $1", claimed.id)
    async with office.engine.read() as tx:
        link = await find_link(tx, token_digest(claimed.token))
    return ids.parsed("recipient", ada), response, link


async def test_deleting_an_answer_does_not_wait_for_who_erases_its_person(office: Office) -> None:
    person, response, _ = await an_answer(office)
    space = office.tenant.workspace_id
    async with unhindered(office.engine) as tx:
        await lock_response(tx, space, response)
        erasing = await begun(
            office.engine, lambda tx: erase_recipient(tx, space, person, now=office.now, hmac_key=KEY)
        )
        await delete_response(tx, space, response, now=office.now)
    await erasing


@pytest.mark.parametrize("act", ["flag", "readmit"])
async def test_evidence_against_a_link_takes_the_answer_before_the_invitation(office: Office, act: str) -> None:
    """As recording does."""
    _, response, link = await an_answer(office)
    space = office.tenant.workspace_id
    if act == "readmit":
        await office.engine_says("UPDATE invitations SET flagged_at = now(), flag_reason = 'fast'")

    async def evidence(tx: Any) -> None:
        if act == "flag":
            await flag_invitation(tx, link, FlagReason.HONEYPOT, hits=1, excludes=True, now=office.now)
        else:
            await readmit_answer(tx, link, now=office.now)

    async with unhindered(office.engine) as tx:
        await lock_response(tx, space, response)
        flagging = await begun(office.engine, evidence)
        await fetch(tx, LOCK_INVITATION, link.invitation_id)
    await flagging


async def test_taking_back_a_refusal_takes_the_person_before_the_invitation(office: Office) -> None:
    """As refusing and erasing do."""
    person, _, link = await an_answer(office)
    async with office.engine.write() as tx:
        await unsubscribe_by_link(tx, link, now=office.now)
    async with unhindered(office.engine) as tx:
        await fetch(tx, LOCK_PERSON, person)
        returning = await begun(office.engine, lambda tx: resubscribe_by_link(tx, link, now=office.now))
        await fetch(tx, LOCK_INVITATION, link.invitation_id)
    await returning


async def test_what_mail_services_tell_takes_people_in_order_and_counts_last(office: Office) -> None:
    _, claimed = await a_sent_wave(office, "ada", "bob")
    await office.settle(claimed)
    by_person = sorted(claimed, key=lambda one: one.addressee.id)
    told = [MailEvent(MailEventKind.HARD_BOUNCE, one.message_id, one.addressee.email) for one in reversed(by_person)]
    space = office.tenant.workspace_id
    async with unhindered(office.engine) as tx:
        await fetch(tx, LOCK_PERSON, by_person[0].addressee.id)
        telling = await begun(office.engine, lambda tx: note_mail_events(tx, space, told, now=office.now))
        await fetch(tx, LOCK_PERSON, by_person[1].addressee.id)
        for one in claimed:
            await fetch(tx, LOCK_INVITATION, one.id)
        await fetch(tx, "SELECT 1 FROM sending_days FOR UPDATE")
    assert await telling == 2
