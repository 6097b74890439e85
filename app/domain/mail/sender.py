"""Whom a workspace's mails come from, and where what comes back goes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from app.domain.errors import RuleViolation
from app.domain.people.recipient import RecipientInvalid, email_address
from app.domain.pointer import json_pointer

LONGEST_NAME = 100  # characters
LONGEST_BOUNCE_LOCAL = 31  # of the 64 that a local part may have, 33 are taken by the message
MOST_DOMAINS = 20
MOST_SELECTORS = 10
SELECTOR = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*", re.IGNORECASE)
LONGEST_SELECTOR = 100
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class SenderInvalid(RuleViolation):
    """The sender is not valid."""

    code = "sender_invalid"


class SenderMissing(RuleViolation):
    """No sender is set."""

    code = "sender_missing"


@dataclass(frozen=True, slots=True)
class Sender:
    from_name: str | None = None
    from_email: str | None = None
    reply_to: str | None = None
    bounce_address: str | None = None  # mails are sent from bounces+{message}@…, so bounces name them
    notify_email: str | None = None  # of whoever looks after the installation: hears of what is in trouble
    domains: tuple[str, ...] = ()  # that mails may come from, beside that of from_email
    dkim_selectors: tuple[str, ...] = ()  # under which the mail server's keys are in the DNS
    send_unaligned: bool = False  # large waves too, from a domain whose check has failed

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        known = {name: stored[name] for name in FIELDS if stored.get(name) is not None}
        return cls(**{**known, **{name: tuple(stored.get(name) or ()) for name in LISTS}})

    @property
    def own_domains(self) -> frozenset[str]:
        return frozenset({*self.domains, *([domain_of(self.from_email)] if self.from_email else [])})

    def may_send_as(self, address: str) -> bool:
        """An account's owner, for example: only where our mail is expected to come from."""
        return domain_of(address) in self.own_domains

    def may_test_with(self, address: str) -> bool:
        """Tests go to colleagues, never to strangers."""
        return self.may_send_as(address) or address in {self.reply_to, self.notify_email}


LISTS = ("domains", "dkim_selectors")
ADDRESSES = ("from_email", "reply_to", "bounce_address", "notify_email")
FIELDS = ("from_name", *ADDRESSES, *LISTS, "send_unaligned")
LOOKED_INTO = ("from_email", "bounce_address", *LISTS)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def changed_sender(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field, None takes one back. Raises SenderInvalid."""
    after = {**stored, **{field: _checked(field, value) for field, value in changes.items() if value is not None}}
    gone = {field for field, value in changes.items() if value is None}
    return {field: after[field] for field in FIELDS if after.get(field) and field not in gone}


def is_to_be_checked(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether what the DNS has to say about its domains may be something else now."""
    return any(before.get(field) != after.get(field) for field in LOOKED_INTO)


def _checked(field: str, value: Any) -> Any:
    if field in LISTS:
        return _domains(value) if field == "domains" else _selectors(value)
    if field in ADDRESSES:
        return _address(field, value)
    if field == "send_unaligned":
        return bool(value)
    if not value.strip() or len(value) > LONGEST_NAME or not value.isprintable():
        raise SenderInvalid(f"Give one line of at most {LONGEST_NAME} characters.", pointer="/sender/from_name")
    return value


def _address(field: str, text: str) -> str:
    pointer = json_pointer("sender", field)
    try:
        address = email_address(text)
    except RecipientInvalid as error:
        raise SenderInvalid(error.detail, pointer=pointer) from None
    if field == "bounce_address" and len(address.partition("@")[0]) > LONGEST_BOUNCE_LOCAL:
        raise SenderInvalid(f"At most {LONGEST_BOUNCE_LOCAL} characters before the @.", pointer=pointer)
    return address


def _domains(texts: Sequence[str]) -> list[str]:
    domains = [text.strip().lower() for text in texts]
    for place, domain in enumerate(domains):
        if not DOMAIN.fullmatch(domain):
            detail = "This is not a domain, such as example.com."
            raise SenderInvalid(detail, pointer=json_pointer("sender", "domains", str(place)))
    if len(domains) > MOST_DOMAINS:
        raise SenderInvalid(f"Name at most {MOST_DOMAINS} domains.", pointer="/sender/domains")
    return sorted(set(domains))


def _selectors(texts: Sequence[str]) -> list[str]:
    selectors = [text.strip() for text in texts]
    for place, selector in enumerate(selectors):
        if len(selector) > LONGEST_SELECTOR or not SELECTOR.fullmatch(selector):
            detail = "This is not a selector, such as s1: what stands before ._domainkey in the DNS."
            raise SenderInvalid(detail, pointer=json_pointer("sender", "dkim_selectors", str(place)))
    if len(selectors) > MOST_SELECTORS:
        raise SenderInvalid(f"Name at most {MOST_SELECTORS} selectors.", pointer="/sender/dkim_selectors")
    return list(dict.fromkeys(selectors))
