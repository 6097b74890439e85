"""What is wrong with a domain, and what to put into the DNS about it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

LONGEST_RECORD = 1_000  # characters that are shown


class Part(StrEnum):
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    BOUNCES = "bounces"


class Severity(StrEnum):
    FAILED = "failed"  # mail services refuse such mail, or put it among the spam
    UNKNOWN = "unknown"
    ADVICE = "advice"


class DomainState(StrEnum):
    UNCHECKED = "unchecked"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"  # nothing failed that could be looked at


@dataclass(frozen=True, slots=True)
class Finding:
    part: Part
    severity: Severity
    code: str
    text: str
    name: str  # in the DNS, where something is to be changed
    publish: str | None = None  # the record to put there

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**{**stored, "part": Part(stored["part"]), "severity": Severity(stored["severity"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def state_of(findings: Iterable[Finding]) -> DomainState:
    severities = {finding.severity for finding in findings}
    if Severity.FAILED in severities:
        return DomainState.FAILED
    return DomainState.UNKNOWN if Severity.UNKNOWN in severities else DomainState.PASSED


def silent(part: Part, name: str) -> Finding:
    text = f"The name servers of {name} did not answer, or only with an error. It is looked at again tomorrow."
    return Finding(part, Severity.UNKNOWN, "dns_unanswered", text, name)


def tags_of(record: str) -> dict[str, str]:
    """Of `v=DMARC1; p=none`; what is no tag is left out. Names in lower case."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, is_tag, value in pairs if is_tag}
