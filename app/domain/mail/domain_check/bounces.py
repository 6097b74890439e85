"""Whether what bounces can come back: mail servers refuse mail from a domain that takes none."""

from app.domain.mail.domain_check.finding import Finding, Part, Severity, silent
from app.domain.mail.domain_check.look_ups import LookUps, Question, RecordType, Status

NO_MAIL = "0 ."  # RFC 7505: this domain takes no mail


def check_bounces(domain: str) -> LookUps[tuple[Finding, ...]]:
    answer = yield Question(domain, RecordType.MX)
    if answer.status is Status.UNKNOWN:
        return (silent(Part.BOUNCES, domain),)
    if any(record.endswith(" .") for record in answer.records):
        text = f"{domain} says that it takes no mail (MX {NO_MAIL}), so bounces are lost and servers refuse its mail."
        return (_finding(Severity.FAILED, "bounces_refused", text, domain),)
    if answer.records:
        return ()
    return (yield from _without_mx(domain))


def _without_mx(domain: str) -> LookUps[tuple[Finding, ...]]:
    """Then mail goes to the address of the domain itself, if it has one."""
    for kind in (RecordType.A, RecordType.AAAA):
        answer = yield Question(domain, kind)
        if answer.status is Status.UNKNOWN:
            return (silent(Part.BOUNCES, domain),)
        if answer.records:
            text = f"{domain} has no MX record, so bounces go to whatever runs at its own address. Publish one."
            return (_finding(Severity.ADVICE, "bounces_go_to_address", text, domain),)
    text = f"{domain} has no mail server, so bounces are lost and others refuse its mail. Publish an MX record."
    return (_finding(Severity.FAILED, "bounces_lost", text, domain),)


def _finding(severity: Severity, code: str, text: str, domain: str) -> Finding:
    return Finding(Part.BOUNCES, severity, code, text, domain)
