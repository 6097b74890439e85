"""One domain that mails come from, looked at as Gmail and Yahoo do.

SPF speaks for the domain that bounces go to, DKIM for the one that signs; DMARC demands that one of the two belongs
with the domain that the reader sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.mail.domain_check.bounces import check_bounces
from app.domain.mail.domain_check.dkim import Dkim, check_dkim
from app.domain.mail.domain_check.dmarc import Dmarc, check_dmarc, organisation_of
from app.domain.mail.domain_check.finding import (
    LONGEST_RECORD,
    DomainState,
    Finding,
    Part,
    Severity,
    silent,
    state_of,
)
from app.domain.mail.domain_check.look_ups import LookUps
from app.domain.mail.domain_check.spf import Spf, check_spf
from app.domain.mail.letter import wire_address
from app.domain.mail.sender import Sender, domain_of


@dataclass(frozen=True, slots=True)
class DomainCheck:
    bounce_domain: str
    spf: Spf
    dmarc: Dmarc
    findings: tuple[Finding, ...]

    @property
    def state(self) -> DomainState:
        return state_of(self.findings)

    def found(self) -> dict[str, Any]:
        """What stands in the DNS."""
        return {
            "bounce_domain": self.bounce_domain,
            "spf_record": self.spf.record and self.spf.record[:LONGEST_RECORD],
            "spf_look_ups": self.spf.look_ups,
            "dmarc_record": self.dmarc.record and self.dmarc.record[:LONGEST_RECORD],
            "dmarc_policy": self.dmarc.policy,
        }


def check_domain(domain: str, sender: Sender) -> LookUps[DomainCheck]:
    from_domain = _in_ascii(domain)
    bounce_domain = _in_ascii(domain_of(sender.bounce_address)) if sender.bounce_address else from_domain
    spf = yield from check_spf(bounce_domain)
    dmarc = yield from check_dmarc(from_domain)
    dkim = yield from check_dkim(from_domain, dmarc, sender.dkim_selectors)
    bounces = yield from check_bounces(bounce_domain)
    alignment = yield from _check_alignment(from_domain, bounce_domain, dmarc, dkim)
    findings = (*spf.findings, *dkim.findings, *dmarc.findings, *bounces, *alignment)
    return DomainCheck(bounce_domain, spf, dmarc, findings)


def _in_ascii(domain: str) -> str:
    try:
        return wire_address(f"@{domain}")[1:]
    except UnicodeError:  # asked for as it stands, and not found
        return domain


def _check_alignment(domain: str, bounce_domain: str, dmarc: Dmarc, dkim: Dkim) -> LookUps[tuple[Finding, ...]]:
    """Nothing to say without DMARC, which is wrong enough by itself."""
    if dmarc.record is None or bounce_domain == domain:
        return ()
    organisation = yield from organisation_of(bounce_domain)
    if organisation is None:
        return (silent(Part.SPF, f"_dmarc.{bounce_domain}"),)
    if organisation == dmarc.organisation and not dmarc.is_spf_strict:
        return ()
    return tuple(_unaligned(domain, bounce_domain, dkim))


def _unaligned(domain: str, bounce_domain: str, dkim: Dkim) -> Iterator[Finding]:
    severity = {True: Severity.ADVICE, None: Severity.UNKNOWN, False: Severity.FAILED}[dkim.is_good]
    text = (
        f"Bounces go to {bounce_domain}, which does not count as {domain}: for DMARC its SPF record is worth nothing, "
        f"and all hangs on DKIM. Use a bounce address at {domain}, or below it."
    )
    yield Finding(Part.SPF, severity, "spf_unaligned", text, bounce_domain)
