"""What a check asks the DNS.

A check is a generator that yields questions and is sent their answers: whoever has a network runs it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")


class RecordType(StrEnum):
    TXT = "TXT"  # the strings of a record are one text
    MX = "MX"  # as in a zone file: `10 mx.example.com.`
    A = "A"
    AAAA = "AAAA"


class Status(StrEnum):
    FOUND = "found"
    NO_RECORD = "no_record"  # the name is there, or others below it
    NO_NAME = "no_name"
    UNKNOWN = "unknown"  # name servers are silent, or broken


@dataclass(frozen=True, slots=True)
class Question:
    name: str  # without a dot at its end
    type: RecordType


@dataclass(frozen=True, slots=True)
class Answer:
    status: Status
    records: tuple[str, ...] = ()


LookUps: TypeAlias = Generator[Question, Answer, Result]
