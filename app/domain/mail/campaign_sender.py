"""Whom the mails of a campaign come from, and whether so many of them had better leave."""

from collections.abc import Iterator, Mapping

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.asking_parts import EmailSettings, SenderKind
from app.domain.asking.plan import SendingWarning, WarningCode
from app.domain.mail.domain_check.finding import DomainState
from app.domain.mail.sender import Sender, domain_of

# Gmail and Yahoo demand SPF, DKIM and DMARC of whoever sends them so many mails a day (as published in 2024).
LARGE_WAVE = 5_000


def check_from_email(email: EmailSettings, sender: Sender) -> None:
    """Raises AskingInvalid for an address at which nobody said that mails may come from it."""
    address = email.from_email
    if address is not None and not sender.may_send_as(address):
        detail = (
            f"{domain_of(address)} is none of the domains that the workspace mails from. Add it to the workspace's "
            "`sender.domains`, or use an address at one of them."
        )
        raise AskingInvalid(detail, pointer="/asking/email/from_email")


def from_address(email: EmailSettings, sender: Sender) -> str | None:
    """The campaign's own while its domain is one of the workspace's, which it may have been once."""
    own = email.from_email
    return own if own is not None and sender.may_send_as(own) else sender.from_email


def from_domains(email: EmailSettings, sender: Sender) -> frozenset[str]:
    """All that mails of the campaign may come from. None: those of somebody who has not said."""
    if email.sender is SenderKind.ACCOUNT_OWNER:
        return sender.own_domains
    address = from_address(email, sender)
    return frozenset({domain_of(address)} if address else ())


def failed_domains(states: Mapping[str, DomainState]) -> list[str]:
    """Those that are known to be set up wrong."""
    return sorted(domain for domain, state in states.items() if state is DomainState.FAILED)


def warnings_about(mails: int | None, states: Mapping[str, DomainState], sender: Sender) -> Iterator[SendingWarning]:
    """`states` of the domains that so many mails would come from; None: nobody knows how many there will be."""
    if mails is None:
        yield from (_warning_of_busy_days(domain, sender) for domain in failed_domains(states))
        return
    if mails <= LARGE_WAVE:
        return
    if not states:
        text = f"{mails} mails would come from an address at this server. Give the workspace a `sender.from_email`."
        yield SendingWarning(WarningCode.SENDER_MISSING, None, text)
    for domain, state in sorted(states.items()):
        if state is not DomainState.PASSED:
            yield _warning(mails, domain, state, sender)


def _warning_of_busy_days(domain: str, sender: Sender) -> SendingWarning:
    text = (
        f"Mails would come from {domain}, and Gmail and Yahoo refuse many a day as it is set up."
        " `GET /v1/sender-domains` says what is wrong."
    )
    end = "" if sender.send_unaligned else f" A day with more than {LARGE_WAVE} of them pauses the campaign."
    return SendingWarning(WarningCode.DOMAIN_FAILED, domain, text + end)


def _warning(mails: int, domain: str, state: DomainState, sender: Sender) -> SendingWarning:
    begin = f"{mails} mails would come from {domain}, "
    if state is DomainState.UNCHECKED:
        text = begin + "which was never checked. `POST /v1/sender-domains/check` does that."
        return SendingWarning(WarningCode.DOMAIN_UNCHECKED, domain, text)
    if state is DomainState.UNKNOWN:
        text = begin + "of which not everything could be checked. `GET /v1/sender-domains` says what."
        return SendingWarning(WarningCode.DOMAIN_UNKNOWN, domain, text)
    text = begin + "and Gmail and Yahoo refuse so many as it is set up. `GET /v1/sender-domains` says what is wrong."
    end = "" if sender.send_unaligned else " Until that is put right, the campaign pauses before the first of them."
    return SendingWarning(WarningCode.DOMAIN_FAILED, domain, text + end)
