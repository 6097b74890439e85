"""What the columns of a CSV mean: fields by their names, everything else is a property."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.errors import RuleViolation
from app.domain.people.account import AccountInput, normalised_account
from app.domain.people.properties import LONGEST_KEY, UNSTORABLE, check_value
from app.domain.people.recipient import IDENTIFIERS, WRITE, RecipientInput, RecipientInvalid

ACCOUNT, ACCOUNT_NAME = "account", "account_name"
FIELDS = (*IDENTIFIERS, "name", "locale", "time_zone", ACCOUNT, ACCOUNT_NAME)
ALIASES: Mapping[str, str] = {
    "e_mail": "email",
    "email_address": "email",
    "phone_number": "phone",
    "mobile": "phone",
    "timezone": "time_zone",
    "language": "locale",
    "account_external_id": ACCOUNT,
}
KNOWN_NAMES = frozenset({*FIELDS, *ALIASES})
MOST_COLUMNS = 100

WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")  # 007 and +49 are no numbers to whoever wrote them
DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,6}")
BEGINS_A_NUMBER = frozenset("-0123456789")
TRUTH: Mapping[str, bool] = {"true": True, "false": False}
BEGINS_A_TRUTH = frozenset("tTfF")


class FileUnreadable(RuleViolation):
    """The file cannot be read."""

    code = "file_unreadable"


class HeaderUnreadable(FileUnreadable):
    """The first line does not name the columns."""

    code = "header_unreadable"


class WrongColumnCount(RuleViolation):
    """The row has more or fewer columns than the header."""

    code = "wrong_column_count"


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of cells, by what they mean; how a field is written down is looked up once for the whole file."""

    count: int
    fields: Sequence[tuple[str, int, Callable[[str], Any]]]
    properties: Sequence[tuple[str, int]]
    account: int | None
    account_name: int | None

    def said(self, cells: Sequence[str], *, workspace_id: UUID) -> RecipientInput:
        """An empty cell leaves things as they are. Raises WrongColumnCount, and what `normalised` raises."""
        if len(cells) != self.count and (len(cells) < self.count or any(cells[self.count :])):
            raise WrongColumnCount(f"The header has {self.count} columns, this row {len(cells)}.")
        given: dict[str, Any] = {name: write(text) for name, at, write in self.fields if (text := cells[at].strip())}
        properties = {key: cell_value(text, key) for key, at in self.properties if (text := cells[at].strip())}
        if properties:
            given["properties"] = properties
        account = self._account(cells, workspace_id) if self.names_accounts else None
        return RecipientInput(workspace_id, given, None, account)

    @property
    def names_accounts(self) -> bool:
        return self.account is not None or self.account_name is not None

    def _account(self, cells: Sequence[str], workspace_id: UUID) -> AccountInput | None:
        external_id = cells[self.account].strip() if self.account is not None else ""
        name = cells[self.account_name].strip() if self.account_name is not None else ""
        if name and not external_id:
            raise RecipientInvalid("An account_name needs an account.", pointer="/account")
        return normalised_account(workspace_id, external_id, {"name": name} if name else {}) if external_id else None


def cell_value(text: str, key: str) -> object:
    """Numbers and truths as such, all else as text. Raises PropertiesInvalid."""
    if text[0] in BEGINS_A_NUMBER:
        if WHOLE.fullmatch(text):
            return int(text)
        if DECIMAL.fullmatch(text):
            return float(text)
    if text[0] in BEGINS_A_TRUTH and text.casefold() in TRUTH:
        return TRUTH[text.casefold()]
    check_value(key, text)
    return text


def columns_of(header: Sequence[str] | None) -> Columns:
    """Raises HeaderUnreadable, which never quotes the header: without one, the first line is somebody's."""
    if header is None:
        raise HeaderUnreadable("The quotes of the first line do not match.")
    if len(header) > MOST_COLUMNS:
        raise HeaderUnreadable(f"A file has at most {MOST_COLUMNS} columns, this one {len(header)}.")
    fields: dict[str, int] = {}
    properties: dict[str, int] = {}
    for at, cell in enumerate(header):
        field = _field(cell)
        place, name = (fields, field) if field else (properties, _property_key(cell, at))
        if name in place:
            raise HeaderUnreadable(f"Column {at + 1} has the name of column {place[name] + 1}.")
        place[name] = at
    if not any(name in fields for name in IDENTIFIERS):
        raise HeaderUnreadable("The first line names the columns; one of them is external_id, email or phone.")
    written = [(name, at, WRITE[name]) for name, at in fields.items() if name in WRITE]
    return Columns(len(header), written, list(properties.items()), fields.get(ACCOUNT), fields.get(ACCOUNT_NAME))


def _field(cell: str) -> str | None:
    name = re.sub(r"[\s-]+", "_", cell.strip().casefold())
    name = ALIASES.get(name, name)
    return name if name in FIELDS else None


def _property_key(cell: str, at: int) -> str:
    key = cell.strip()
    if not 1 <= len(key) <= LONGEST_KEY or UNSTORABLE.search(key):
        raise HeaderUnreadable(f"Column {at + 1} needs a name of 1 to {LONGEST_KEY} characters.")
    return key
