"""What of a record pulled from a service goes where: remote fields on the left, what they are here on the right.

`email`, `name` and so on are the recipient's own; several fields that go into the name are joined. `properties.plan` is
a property, `properties.seats|number` one that the service gives as a text; `account.external_id`, `account.name` and
`account.properties.size` are the account's. `unsubscribed` unsubscribes whoever it is true of, and nobody else: what
is pulled never subscribes somebody again.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.domain.connectors.pages import Record
from app.domain.connectors.protocol import Connector
from app.domain.errors import RuleViolation
from app.domain.people.properties import LARGEST_WHOLE, LONGEST_TEXT
from app.domain.people.recipient import IDENTIFIERS
from app.domain.pointer import json_pointer
from app.domain.webhooks.payload import instant_text

MOST_FIELDS = 50
OWN = (*IDENTIFIERS, "name", "locale", "time_zone")
OF_ACCOUNT = ("external_id", "name", "owner", "revenue", "tier", "renews_on")
UNSUBSCRIBED = "unsubscribed"
PROPERTY = re.compile(r"(?:account\.)?properties\.([^|\x00-\x1f]{1,64})(\|(?:number|flag))?")
YES = frozenset({"true", "yes", "y", "1", "x"})
DAY = len("2027-03-31")


class PullUnusable(RuleViolation):
    """This pull cannot work."""

    code = "pull_unusable"


def check_fields(connector: Connector, fields: Mapping[str, str]) -> None:
    """Raises PullUnusable."""
    if refusal := connector.why_not_pulled():
        raise PullUnusable(refusal)
    if len(fields) > MOST_FIELDS:
        raise PullUnusable(f"At most {MOST_FIELDS} fields.", pointer="/fields")
    for remote, target in fields.items():
        _check(connector, remote, target)
    targets = set(fields.values())
    if targets.isdisjoint(IDENTIFIERS):
        raise PullUnusable("One field has to be the external_id, email or phone.", pointer="/fields")
    if "account.external_id" not in targets and any(target.startswith("account.") for target in targets):
        raise PullUnusable("An account is known by its account.external_id.", pointer="/fields")


def _check(connector: Connector, remote: str, target: str) -> None:
    pointer = json_pointer("fields", remote)
    if not connector.pulled_name.fullmatch(remote):
        raise PullUnusable("No field is called like this there.", pointer=pointer)
    known = {*OWN, UNSUBSCRIBED, *(f"account.{name}" for name in OF_ACCOUNT)}
    if target not in known and not PROPERTY.fullmatch(target):
        raise PullUnusable(f"It is one of {', '.join(sorted(known))} or properties.….", pointer=pointer)


def rows_of(record: Record, fields: Mapping[str, str], *, now: datetime) -> Iterator[dict[str, Any]]:
    """As an import takes them. What is empty there is left as it is here, but for properties, which go.

    Who said no says so once more by address alone, which counts whatever may be wrong with the rest.
    """
    said = [(target, record.fields[remote]) for remote, target in fields.items() if remote in record.fields]
    row = _row(said)
    if not any(target == UNSUBSCRIBED and _is_yes(value) for target, value in said):
        yield row
        return
    refusal = {"unsubscribed_at": instant_text(now)}
    yield row | refusal
    if "email" in row:
        yield {"email": row["email"]} | refusal


def account_of(record: Record, fields: Mapping[str, str]) -> dict[str, Any] | None:
    """What a company that was read by itself says, in the same fields; none without its id."""
    said = [(target, record.fields[remote]) for remote, target in fields.items() if remote in record.fields]
    account: dict[str, Any] | None = _row(said).get("account")
    return account


def _row(said: list[tuple[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in OWN:
        texts = [_text(value) for target, value in said if target == name]
        if joined := " ".join(text for text in texts if text):
            row[name] = joined
    account = {name: _of_account(name, value) for name, value in _named(said, "account.", OF_ACCOUNT)}
    account = {name: value for name, value in account.items() if value is not None}
    account |= _properties(said, "account.properties.")
    if "external_id" in account:
        row["account"] = account
    return row | _properties(said, "properties.")


def _named(said: list[tuple[str, Any]], prefix: str, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for target, value in said:
        name = target.removeprefix(prefix)
        if target.startswith(prefix) and name in names:
            yield name, value


def _properties(said: list[tuple[str, Any]], prefix: str) -> dict[str, dict[str, Any]]:
    found: dict[str, Any] = {}
    for target, value in said:
        if target.startswith(prefix):
            name, _, kind = target.removeprefix(prefix).partition("|")
            found[name] = _as(kind, value)
    return {"properties": found} if found else {}


def _of_account(name: str, value: Any) -> Any:
    if name == "revenue":
        return _as("number", value)
    return _text(value)[:DAY] or None if name == "renews_on" else _text(value) or None


def _as(kind: str, value: Any) -> Any:
    """None of what is empty, or no number."""
    text = _text(value)
    if not text:
        return None
    if kind == "flag":
        return _is_yes(value)
    if kind == "number":
        return _number(text)
    return value if isinstance(value, bool | int | float) else text[:LONGEST_TEXT]


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) > LARGEST_WHOLE:
        return None
    return int(number) if number.is_integer() else number


def _is_yes(value: Any) -> bool:
    return _text(value).lower() in YES


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Mapping():  # a look-up of another record
            return _text(value.get("name"))
        case list():
            return "; ".join(filter(None, map(_text, value)))
    return str(value).strip()
