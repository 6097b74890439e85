"""What a check of the installation came to."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    FINE = "fine"
    WARNING = "warning"  # works, though not as it should
    PROBLEM = "problem"  # something does not work, or is not true


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`said` continues the name of the check: "rollups: exact". `details` are further lines."""

    check: str
    severity: Severity
    said: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.check}: {self.said}"


def fine(check: str, said: str) -> Diagnosis:
    return Diagnosis(check, Severity.FINE, said)


def warning(check: str, said: str, *details: str) -> Diagnosis:
    return Diagnosis(check, Severity.WARNING, said, details)


def problem(check: str, said: str, *details: str) -> Diagnosis:
    return Diagnosis(check, Severity.PROBLEM, said, details)
