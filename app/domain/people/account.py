"""The companies that recipients belong to: at most one each."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domain.errors import NotFound, RuleViolation
from app.domain.people.properties import are_the_same, check_properties, merged
from app.domain.people.upserted import Change, Upserted

LONGEST_LINE = 200
LARGEST_REVENUE = Decimal(10) ** 16  # numeric(18, 2)
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LINES: Final = ("name", "owner", "tier")
FIELDS: Final = (*LINES, "revenue", "renews_on", "properties")


class AccountInvalid(RuleViolation):
    """The account is not valid."""

    code = "account_invalid"


class AccountNotFound(NotFound):
    """There is no such account."""

    code = "account_not_found"


Place = tuple[UUID, str]  # workspace, external id


@dataclass(frozen=True, slots=True)
class AccountInput:
    """What somebody says about one account; `given` has only the fields given, as `normalised_account` writes them."""

    workspace_id: UUID
    external_id: str
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return self.workspace_id, self.external_id


class Account:
    """One account, as stored and as it shall be."""

    __slots__ = ("after", "id", "place", "revision", "stored")

    def __init__(
        self, place: Place, account_id: UUID, stored: Mapping[str, Any] | None = None, revision: int = 0
    ) -> None:
        """`stored` has all FIELDS; None: not stored yet."""
        self.place, self.id, self.stored, self.revision = place, account_id, stored, revision
        self.after: Mapping[str, Any] = stored or {**dict.fromkeys(FIELDS), "properties": {}}

    @property
    def is_new(self) -> bool:
        return self.stored is None

    @property
    def has_changed(self) -> bool:
        return self.stored is not None and not _alike(self.stored, self.after)

    def told(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What it would be after that. Raises PropertiesInvalid."""
        after = {**self.after, **given}
        if "properties" in given:
            after["properties"] = merged(self.after["properties"], given["properties"])
        return after


class AccountBook:
    """The accounts that may be meant. What is said takes effect in order."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._known = {account.place: account for account in accounts}

    def preview(self, said: AccountInput, *, new_id: Callable[[], UUID]) -> tuple[Account, dict[str, Any]]:
        """The account that is meant, perhaps a new one, and what it would become. Raises PropertiesInvalid."""
        account = self._known.get(said.place) or Account(said.place, new_id())
        return account, account.told(said.given)

    def keep(self, account: Account, after: dict[str, Any]) -> Upserted:
        change = Change.UNCHANGED if _alike(account.after, after) else Change.UPDATED
        if account.place not in self._known:
            change = Change.CREATED
        self._known[account.place], account.after = account, after
        return Upserted(account.id, change)

    def accounts(self) -> Iterable[Account]:
        return self._known.values()


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one == other and are_the_same(one["properties"], other["properties"])


def normalised_account(workspace_id: UUID, external_id: str, given: Mapping[str, Any]) -> AccountInput:
    """Raises AccountInvalid, PropertiesInvalid."""
    written = {name: _written(name, value) for name, value in given.items()}
    return AccountInput(workspace_id, _line("external_id", external_id), written)


def _written(name: str, value: Any) -> Any:
    if name not in FIELDS:
        raise AccountInvalid(f"An account has no field called {name}.", pointer=f"/{name}")
    if value is None:
        return None
    if name == "properties":
        return check_properties(value)
    if name in LINES:
        return _line(name, value)
    return _revenue(value) if name == "revenue" else _day(value)


def _line(name: str, text: Any) -> str:
    line = text.strip() if isinstance(text, str) else ""
    if not line or len(line) > LONGEST_LINE or CONTROL.search(line):
        raise AccountInvalid(f"Between 1 and {LONGEST_LINE} printable characters.", pointer=f"/{name}")
    return line


def _revenue(amount: Decimal) -> Decimal:
    if not amount.is_finite() or abs(amount) >= LARGEST_REVENUE or amount != round(amount, 2):
        raise AccountInvalid("An amount of money with at most two decimals.", pointer="/revenue")
    return amount.quantize(Decimal("0.01"))


def _day(day: date) -> date:
    if not 1900 <= day.year <= 2200:
        raise AccountInvalid("A date between 1900 and 2200.", pointer="/renews_on")
    return day
