"""Who may be asked: how each thing said about a person is written down.

Whoever says something says it in part: a field that is absent stays as it is, a field that is null is cleared, and
properties are merged key by key, where null removes a key (and null in place of them all of them).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.domain.errors import NotFound, RuleViolation
from app.domain.people.account import AccountInput
from app.domain.people.mailbox import one_spelling
from app.domain.people.properties import check_properties
from app.domain.scores.period import UnknownTimeZone, zone_named

IDENTIFIERS: Final = ("external_id", "email", "phone")  # the strongest first
ADDRESSES: Final = ("email", "phone")
LONGEST_EMAIL = 254  # RFC 5321 §4.5.3.1, less the angle brackets
LONGEST_LINE = 200

# What mail servers accept in practice, not all that RFC 5322 allows: no quoting, no comments, no address literals.
_ATOM = r"[^\s\x00-\x1f\x7f\ud800-\udfff@\"(),:;<>\[\]\\.]+"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
PHONE_PUNCTUATION = str.maketrans("", "", " \u00a0-.()/")
LOCALE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)
PLAIN_EMAIL = re.compile(
    r"[a-z0-9_-]{1,30}(?:[.+][a-z0-9_-]{1,30})?@(?:[a-z0-9]{1,63}\.){1,3}[a-z]{2,6}", re.ASCII
)  # found out sooner
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class RecipientInvalid(RuleViolation):
    """The recipient is not valid."""

    code = "recipient_invalid"


class RecipientUnidentified(RuleViolation):
    """The recipient has no identifier."""

    code = "recipient_unidentified"


class RecipientNotFound(NotFound):
    """There is no such recipient."""

    code = "recipient_not_found"


class RecipientInput(NamedTuple):
    """What somebody says about one person, as `normalised` writes it; only the fields given.

    `recipient_id` names the person by our id, so that even the external id may be changed.
    `account` is one named by its external id, and made if need be; an `account_id` among `given` must exist.
    """

    workspace_id: UUID
    given: Mapping[str, Any]
    recipient_id: UUID | None = None
    account: AccountInput | None = None


def normalised(given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises RecipientInvalid, PropertiesInvalid; pointers name the field."""
    return {name: None if value is None else _written(name, value) for name, value in given.items()}


def _written(name: str, value: Any) -> Any:
    write = WRITE.get(name)
    if write is None:
        raise RecipientInvalid(f"A recipient has no field called {name}.", pointer=f"/{name}")
    if name in TEXTS and not isinstance(value, str):
        raise RecipientInvalid("Give text, or null to clear it.", pointer=f"/{name}")
    return write(value)


def email_address(text: str) -> str:
    """Lower case. Raises RecipientInvalid."""
    address = text.strip().lower()
    is_one = PLAIN_EMAIL.fullmatch(address) or (address.isprintable() and EMAIL.fullmatch(address))
    if len(address) > LONGEST_EMAIL or not is_one:
        raise RecipientInvalid("This is not an e-mail address, such as ada@example.com.", pointer="/email")
    return address


def _mailbox(text: str) -> str:
    address = email_address(one_spelling(text))
    if not address.rpartition("@")[2].isascii():
        raise RecipientInvalid("No mail can be sent to this domain: it is too long.", pointer="/email")
    return address


def phone_number(text: str) -> str:
    """E.164: a plus, the country code, the number. Raises RecipientInvalid."""
    number = text.strip().translate(PHONE_PUNCTUATION)
    # (0) is dialled at home only; leaving it in would be somebody else's number
    if not PHONE.fullmatch(number) or "(0)" in text:
        detail = "Write phone numbers with a plus and the country code, such as +4930123456."
        raise RecipientInvalid(detail, pointer="/phone")
    return number


@lru_cache(maxsize=1024)  # an import names the same few again and again
def locale_tag(text: str) -> str:
    """BCP 47 as far as surveys need it, with the usual capitals (pt-BR, zh-Hant-TW). Raises RecipientInvalid."""
    found = LOCALE.fullmatch(text.strip().replace("_", "-"))
    if found is None:
        raise RecipientInvalid("Write locales like en, pt-BR or zh-Hant-TW.", pointer="/locale")
    language, script, region = found.groups()
    return "-".join(part for part in (language.lower(), script and script.title(), region and region.upper()) if part)


@lru_cache(maxsize=1024)
def _time_zone(text: str) -> str:
    try:
        return zone_named(text.strip()).key
    except UnknownTimeZone as error:
        raise RecipientInvalid(error.detail, pointer="/time_zone") from None


def _line(name: str) -> Callable[[str], str]:
    def write(text: str) -> str:
        line = text.strip()
        if not line or len(line) > LONGEST_LINE or (not line.isprintable() and CONTROL.search(line)):
            detail = f"Between 1 and {LONGEST_LINE} printable characters; null clears it."
            raise RecipientInvalid(detail, pointer=f"/{name}")
        return line

    return write


WRITE: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "external_id": _line("external_id"),
        "email": _mailbox,
        "phone": phone_number,
        "name": _line("name"),
        "locale": locale_tag,
        "time_zone": _time_zone,
        "account_id": lambda account_id: account_id,
        "properties": check_properties,
    }
)
FIELDS: Final = tuple(WRITE)
TEXTS: Final = frozenset(WRITE) - {"account_id", "properties"}
