"""Who may send from a domain, as RFC 7208 has it: one record, and no more than ten look-ups to understand it."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.mail.domain_check.finding import Finding, Part, Severity, silent
from app.domain.mail.domain_check.look_ups import LookUps, Question, RecordType, Status

MOST_LOOK_UPS = 10  # RFC 7208 §4.6.4: a receiver stops there, and the record counts as broken
COUNTED_TO = 30  # enough to say by how many it is too long
VERSION = "v=spf1"
EXAMPLE = "v=spf1 include:YOUR-MAIL-SERVICE ~all"
TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(.*))?", re.IGNORECASE)
MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)
COUNTED = {"a", "mx", "ptr", "exists"}  # beside include and redirect


@dataclass(frozen=True, slots=True)
class Spf:
    record: str | None
    look_ups: int
    findings: tuple[Finding, ...]


def check_spf(domain: str) -> LookUps[Spf]:
    walk = _Walk()
    ending = yield from walk.follow(domain, ())
    if walk.look_ups > MOST_LOOK_UPS:
        walk.note(
            "spf_too_many_look_ups",
            f"The record of {domain} takes {_counted(walk.look_ups)} look-ups, and receivers stop after "
            f"{MOST_LOOK_UPS}. Take out what no longer sends for you, or name networks (ip4:, ip6:) in its place.",
            domain,
        )
    if not walk.findings:
        walk.findings += _about_ending(domain, ending)
    return Spf(walk.record, walk.look_ups, tuple(walk.findings))


def _counted(look_ups: int) -> str:
    return str(look_ups) if look_ups < COUNTED_TO else f"{COUNTED_TO} or more"


def _about_ending(domain: str, ending: str | None) -> list[Finding]:
    if ending == "+":
        text = f"The record of {domain} lets everybody send from it. Let it end in ~all or -all."
        return [Finding(Part.SPF, Severity.FAILED, "spf_lets_everybody", text, domain)]
    if ending in {"?", None}:
        text = f"The record of {domain} says nothing about everybody else. Let it end in ~all or -all."
        return [Finding(Part.SPF, Severity.ADVICE, "spf_ends_open", text, domain)]
    return []


@dataclass(slots=True)
class _Walk:
    """From the record of the domain through all that it includes."""

    record: str | None = None
    look_ups: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, code: str, text: str, name: str, publish: str | None = None) -> None:
        self.findings.append(Finding(Part.SPF, Severity.FAILED, code, text, name, publish))

    def follow(self, name: str, path: tuple[str, ...]) -> LookUps[str | None]:
        """The sign before the record's `all`: none where it has none. `path` leads to it from the domain."""
        if name in path:
            self.note("spf_includes_itself", f"The records of {' and '.join(path)} include each other.", path[0])
            return None
        record = yield from self._read(name, path)
        if record is None:
            return None
        terms, redirect, ending = record.split()[1:], None, None
        for term in terms:
            redirect = _value_of("redirect", term) or redirect
            if (found := TERM.fullmatch(term)) and found[2].lower() == "all":
                ending = found[1] or "+"
                break
            yield from self._weigh(term, name, path)
        if ending is None and redirect is not None:
            return (yield from self._look_into(redirect, name, path))
        return ending

    def _read(self, name: str, path: tuple[str, ...]) -> LookUps[str | None]:
        answer = yield Question(name, RecordType.TXT)
        if answer.status is Status.UNKNOWN:
            self.findings.append(silent(Part.SPF, name))
            return None
        records = [record for record in answer.records if _is_spf(record)]
        if not path:
            self.record = records[0] if records else None
        if len(records) != 1:
            self._note_number(name, path, records)
            return None
        return records[0]

    def _note_number(self, name: str, path: tuple[str, ...], records: Sequence[str]) -> None:
        if records:
            text = f"{name} has {len(records)} SPF records, so receivers obey none. Put all senders into one."
            self.note("spf_two_records", text, path[0] if path else name)
        elif path:
            text = f"The record of {path[-1]} includes {name}, which has no SPF record: that breaks it. Take it out."
            self.note("spf_include_missing", text, path[-1])
        else:
            text = (
                f"{name} has no SPF record, so nobody knows that your mail server may send from it. Publish one, with "
                "what your mail service says after include:"
            )
            self.note("spf_missing", text, name, EXAMPLE)

    def _weigh(self, term: str, name: str, path: tuple[str, ...]) -> LookUps[None]:
        found = TERM.fullmatch(term)
        if found is None:
            if not MODIFIER.fullmatch(term):
                self._note_unreadable(term, name)
            return
        kind, value = found[2].lower(), found[4] or ""
        if kind == "include" and value:
            yield from self._look_into(value, name, path)
        elif kind in COUNTED:
            self.look_ups += 1
        elif not _is_network(kind, value):
            self._note_unreadable(term, name)

    def _note_unreadable(self, term: str, name: str) -> None:
        self.note("spf_unreadable", f"The record of {name} says {term[:100]}, which breaks all of it.", name)

    def _look_into(self, target: str, name: str, path: tuple[str, ...]) -> LookUps[str | None]:
        """One with a macro counts, but where it leads depends on the mail."""
        self.look_ups += 1
        if "%" in target or self.look_ups >= COUNTED_TO:
            return "~"
        return (yield from self.follow(target.rstrip(".").lower(), (*path, name)))


def _is_spf(record: str) -> bool:
    return record.lower() == VERSION or record.lower().startswith(VERSION + " ")


def _value_of(modifier: str, term: str) -> str | None:
    found = MODIFIER.fullmatch(term)
    return found[2] if found and found[1].lower() == modifier else None


def _is_network(kind: str, value: str) -> bool:
    try:
        return ipaddress.ip_network(value, strict=False).version == int(kind[-1])
    except ValueError:
        return False
