"""Test mails to colleagues."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.domain.mail.letter import Letter, Mailbox, Purpose
from app.domain.mail.letter_bytes import compose
from app.domain.mail.sender import Sender
from app.domain.mail.trial_mail import MOST_IN_AN_HOUR, TooManyTrialMails, check_addresses
from app.domain.people.recipient import email_address
from app.domain.survey.survey_preview import PreviewLinks
from app.operations.outgoing_mails import OutgoingMail, count_recent_tests, queue_mails
from app.queries.trial_letters import Trial, trial_letter
from app.queries.workspaces import get_workspace


async def send_trials(
    tx: Tx,
    workspace_id: UUID,
    campaign_id: UUID,
    trial: Trial,
    *,
    to: Sequence[str],
    livemode: bool,
    links: PreviewLinks,
    now: datetime,
) -> list[Mapping[str, Any]]:
    """As they are waiting. Raises what `trial_letter` raises, TrialAddressRefused, TooManyTrialMails."""
    addresses = list(dict.fromkeys(email_address(text) for text in to))
    letter = await trial_letter(tx, workspace_id, campaign_id, trial, message_id=new_id(now), links=links, now=now)
    workspace = await get_workspace(tx, workspace_id)
    check_addresses(addresses, sender=Sender.of(workspace["sender"]), livemode=livemode)
    recent = await count_recent_tests(tx, workspace_id, since=now - timedelta(hours=1))
    if recent + len(addresses) > MOST_IN_AN_HOUR:
        raise TooManyTrialMails(f"At most {MOST_IN_AN_HOUR} tests are sent within an hour.")
    mails = [_outgoing(letter, one, workspace_id, campaign_id, now) for one in addresses]
    await queue_mails(tx, mails, now=now)
    return [_waiting(mail, now) for mail in mails]


def _outgoing(letter: Letter, to: str, workspace_id: UUID, campaign_id: UUID, now: datetime) -> OutgoingMail:
    one = replace(letter, message_id=new_id(now), to=Mailbox(to))
    return OutgoingMail(
        workspace_id, one.message_id, Purpose.TEST, to, one.subject, one.envelope_sender, compose(one), campaign_id
    )


def _waiting(mail: OutgoingMail, now: datetime) -> dict[str, Any]:
    return {
        "id": mail.id, "to_address": mail.to_address, "subject": mail.subject, "state": "waiting", "failure": None,
        "reply_code": None, "created_at": now, "settled_at": None,
    }  # fmt: skip
