"""Whether the keys are there that the mail server's signatures are checked with (RFC 6376).

Nobody can list a domain's keys: whoever runs the mail server knows under which selectors they are.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.domain.mail.domain_check.dmarc import Dmarc
from app.domain.mail.domain_check.finding import Finding, Part, Severity, silent, tags_of
from app.domain.mail.domain_check.look_ups import LookUps, Question, RecordType, Status

SHORTEST_KEY = 1_024  # bits; Gmail ignores what is signed with a shorter one
ED25519_BYTES = 32


class Key(StrEnum):
    GOOD = "good"
    MISSING = "missing"
    REVOKED = "revoked"
    BROKEN = "broken"
    SHORT = "short"
    UNKNOWN = "unknown"


TEXTS: Mapping[Key, str] = {
    Key.MISSING: "There is no key at {name}. Publish the record that your mail server or service shows for it, or name "
    "another selector.",
    Key.REVOKED: "The key at {name} is revoked: it is empty. Let your mail server sign with another one.",
    Key.BROKEN: "What stands at {name} is no key that can be read. Copy the record from your mail service once more.",
    Key.SHORT: "The key at {name} is shorter than 1024 bits, so Gmail ignores it. Use one of 2048.",
}


@dataclass(frozen=True, slots=True)
class Dkim:
    is_good: bool | None  # None: nobody knows
    findings: tuple[Finding, ...]


def check_dkim(domain: str, dmarc: Dmarc, selectors: Sequence[str]) -> LookUps[Dkim]:
    """One good key is enough: others may be on their way in, or out."""
    if not selectors:
        return Dkim(None, (_unnamed(domain),))
    keys: dict[str, Key] = {}
    for selector in selectors:
        name, key = yield from _key_of(selector, domain, dmarc)
        keys[name] = key
    is_good = Key.GOOD in keys.values()
    findings = tuple(_finding(name, key, is_needed=not is_good) for name, key in keys.items() if key is not Key.GOOD)
    return Dkim(is_good or (None if Key.UNKNOWN in keys.values() else False), findings)


def _key_of(selector: str, domain: str, dmarc: Dmarc) -> LookUps[tuple[str, Key]]:
    """The domain's own, or else its organisation's, where DMARC takes that for the same. Where it is, and how."""
    own = f"{selector}._domainkey.{domain}"
    key = yield from _look_at(own)
    if key is not Key.MISSING or dmarc.is_dkim_strict or dmarc.organisation in {None, domain}:
        return own, key
    above = f"{selector}._domainkey.{dmarc.organisation}"
    key = yield from _look_at(above)
    return (own, key) if key is Key.MISSING else (above, key)


def _look_at(name: str) -> LookUps[Key]:
    answer = yield Question(name, RecordType.TXT)
    if answer.status is Status.UNKNOWN:
        return Key.UNKNOWN
    keys = [_judged(record) for record in answer.records]
    return next((key for key in (Key.GOOD, Key.REVOKED, Key.SHORT, Key.BROKEN) if key in keys), Key.MISSING)


def _judged(record: str) -> Key:
    tags = tags_of(record)
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return Key.BROKEN
    if not tags["p"]:
        return Key.REVOKED
    try:
        raw = b64decode("".join(tags["p"].split()), validate=True)
        if tags.get("k", "rsa").lower() == "ed25519":
            return Key.GOOD if len(raw) == ED25519_BYTES else Key.BROKEN
        key = load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        return Key.BROKEN
    if not isinstance(key, RSAPublicKey):
        return Key.BROKEN
    return Key.GOOD if key.key_size >= SHORTEST_KEY else Key.SHORT


def _finding(name: str, key: Key, *, is_needed: bool) -> Finding:
    if key is Key.UNKNOWN:
        return silent(Part.DKIM, name)
    severity = Severity.FAILED if is_needed else Severity.ADVICE
    return Finding(Part.DKIM, severity, f"dkim_key_{key.value}", TEXTS[key].format(name=name), name)


def _unnamed(domain: str) -> Finding:
    text = (
        "Whether mail is signed cannot be seen from outside. Name the selectors that your mail server or service signs "
        "with in the workspace's `sender.dkim_selectors`."
    )
    return Finding(Part.DKIM, Severity.UNKNOWN, "dkim_selectors_unnamed", text, f"_domainkey.{domain}")
