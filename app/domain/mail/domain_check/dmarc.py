"""What receivers are to do with mail that only pretends to come from a domain: DMARC.

Which domains belong together is found as RFC 9989 has it, by looking for records on the way up to the root, which needs
no list of public suffixes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.mail.domain_check.finding import Finding, Part, Severity, silent, tags_of
from app.domain.mail.domain_check.look_ups import LookUps, Question, RecordType, Status

MOST_LABELS = 8  # of longer names only the last seven are looked at
POLICIES = ("none", "quarantine", "reject")
EXAMPLE = "v=DMARC1; p=none; rua=mailto:{address}"
VERSION = re.compile(r"v\s*=\s*DMARC1\s*(;|$)")


@dataclass(frozen=True, slots=True)
class Dmarc:
    """`organisation` is the domain whose names may stand for each other; None: nobody knows."""

    organisation: str | None
    record: str | None = None
    policy: str | None = None
    is_spf_strict: bool = False  # the very same domain, not one of the same organisation
    is_dkim_strict: bool = False
    findings: tuple[Finding, ...] = ()


def check_dmarc(domain: str) -> LookUps[Dmarc]:
    found, is_unknown = yield from _records_above(domain)
    if is_unknown:
        return Dmarc(None, findings=(silent(Part.DMARC, f"_dmarc.{domain}"),))
    organisation = _organisation(domain, found)
    records = found.get(domain) or found.get(organisation) or []
    if len(records) != 1:
        return Dmarc(organisation, findings=(_missing(domain, has_several=bool(records)),))
    tags = tags_of(records[0])
    policy = _policy(tags, is_own=domain in found)
    return Dmarc(
        organisation, records[0], policy,
        is_spf_strict=tags.get("aspf", "").lower() == "s", is_dkim_strict=tags.get("adkim", "").lower() == "s",
        findings=tuple(_about_policy(policy, domain if domain in found else organisation)),
    )  # fmt: skip


def organisation_of(domain: str) -> LookUps[str | None]:
    """None: nobody knows."""
    found, is_unknown = yield from _records_above(domain)
    return None if is_unknown else _organisation(domain, found)


def _records_above(domain: str) -> LookUps[tuple[dict[str, list[str]], bool]]:
    """By the name that has them, the longest first; and whether one of them did not answer."""
    found: dict[str, list[str]] = {}
    for name in _names(domain):
        answer = yield Question(f"_dmarc.{name}", RecordType.TXT)
        if answer.status is Status.UNKNOWN:
            return found, True
        records = [record for record in answer.records if VERSION.match(record)]
        if records:
            found[name] = records
        if len(records) == 1 and _is_public(records[0]) in ({"n"} if name == domain else {"n", "y"}):
            break
    return found, False


def _names(domain: str) -> Iterator[str]:
    yield domain
    labels = domain.split(".")
    for first in range(1 if len(labels) <= MOST_LABELS else len(labels) - MOST_LABELS + 1, len(labels)):
        yield ".".join(labels[first:])


def _is_public(record: str) -> str:
    """`y` of a public suffix, `n` of what is none, though it may look so."""
    return tags_of(record).get("psd", "u").lower()


def _organisation(domain: str, found: Mapping[str, list[str]]) -> str:
    single = {name: records[0] for name, records in found.items() if len(records) == 1}
    for name, record in single.items():
        if _is_public(record) == "n":
            return name
        if _is_public(record) == "y" and name != domain:
            return ".".join(domain.split(".")[-len(name.split(".")) - 1 :])
    return list(single)[-1] if single else domain


def _policy(tags: Mapping[str, str], *, is_own: bool) -> str | None:
    """What holds for the domain; of one that has no record of its own, what its organisation says about such."""
    said = tags.get("p", "").lower()
    below = tags.get("sp", said).lower()
    policy = said if is_own else below
    if policy in POLICIES:
        return policy
    return "none" if "rua" in tags else None


def _about_policy(policy: str | None, name: str) -> Iterator[Finding]:
    at = f"_dmarc.{name}"
    if policy is None:
        text = f"The DMARC record of {name} has no policy that is known. Let it say p=none, to begin with."
        yield Finding(Part.DMARC, Severity.FAILED, "dmarc_unreadable", text, at, _example(name))
    if policy == "none":
        text = (
            "p=none is enough to begin with. Once the reports name none but servers of yours, p=quarantine keeps "
            "others from using the domain."
        )
        yield Finding(Part.DMARC, Severity.ADVICE, "dmarc_only_watches", text, at)


def _missing(domain: str, *, has_several: bool) -> Finding:
    if has_several:
        text = f"{domain} has more than one DMARC record, so receivers obey none. Keep one."
        return Finding(Part.DMARC, Severity.FAILED, "dmarc_two_records", text, f"_dmarc.{domain}")
    text = f"{domain} has no DMARC record, which Gmail and Yahoo demand of everybody who sends much mail. Publish one."
    return Finding(Part.DMARC, Severity.FAILED, "dmarc_missing", text, f"_dmarc.{domain}", _example(domain))


def _example(domain: str) -> str:
    return EXAMPLE.format(address=f"dmarc@{domain}")
