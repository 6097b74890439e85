"""A DNS in a mapping: what stands at a name, by type."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from app.domain.mail.domain_check.finding import Finding
from app.domain.mail.domain_check.look_ups import Answer, LookUps, Question, RecordType, Status

Result = TypeVar("Result")
Records = Mapping[str, Sequence[str] | Status]


def answered(look_ups: LookUps[Result], *, txt: Records | None = None, mx: Records | None = None,
             a: Records | None = None) -> Result:  # fmt: skip
    """Runs the check; a name that is not there does not exist."""
    known = {RecordType.TXT: txt or {}, RecordType.MX: mx or {}, RecordType.A: a or {}, RecordType.AAAA: {}}
    try:
        question = next(look_ups)
        for _ in range(1_000):
            question = look_ups.send(_answer(known[question.type], question))
    except StopIteration as end:
        result: Result = end.value
        return result
    raise AssertionError("this check asks for ever")


def _answer(records: Records, question: Question) -> Answer:
    found = records.get(question.name, Status.NO_NAME)
    return Answer(found) if isinstance(found, Status) else Answer(Status.FOUND, tuple(found))


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]
