"""A recipient as a JSON object, in the same words as the API, and since when they want no more surveys."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domain import ids
from app.domain.people.account import AccountInput, AccountInvalid, normalised_account
from app.domain.people.recipient import RecipientInput, RecipientInvalid, normalised
from app.domain.strict_json import strict_json

EARLIEST_YEAR = 1900


def recipient_from_json(line: str, *, number: int, workspace_id: UUID) -> RecipientInput:
    """`number`: of the line in its file. Raises UnreadableJson, RecipientInvalid, AccountInvalid, PropertiesInvalid."""
    said = strict_json(line.rstrip().encode(), first_line=number)
    if not isinstance(said, dict):
        raise RecipientInvalid("Each line is a JSON object.", pointer="")
    if "account" in said and "account_id" in said:
        raise RecipientInvalid("Give account_id or account, not both.", pointer="/account")
    has_account, account = "account" in said, said.pop("account", None)
    if (has_account and account is None) or said.get("account_id", "") is None:
        said["account_id"] = None
    elif "account_id" in said:
        said["account_id"] = _account_id(said["account_id"])
    inline = None if account is None else account_from_json(account, workspace_id=workspace_id)
    refused_at = said.pop("unsubscribed_at", None)
    given = normalised(said)
    if refused_at is not None:
        given["unsubscribed_at"] = _instant(refused_at)
    return RecipientInput(workspace_id, given, None, inline)


def account_from_json(said: object, *, workspace_id: UUID) -> AccountInput:
    """Raises AccountInvalid, PropertiesInvalid."""
    if not isinstance(said, Mapping) or not isinstance(said.get("external_id"), str):
        raise AccountInvalid("An account is an object with an external_id.", pointer="/account")
    given = {name: value for name, value in said.items() if name != "external_id"}
    if given.get("revenue") is not None:
        given["revenue"] = _amount(given["revenue"])
    if given.get("renews_on") is not None:
        given["renews_on"] = _day(given["renews_on"])
    return normalised_account(workspace_id, said["external_id"], given)


def _account_id(said: object) -> UUID:
    account_id = ids.parsed("account", said) if isinstance(said, str) else None
    if account_id is None:
        raise RecipientInvalid("An account_id looks like acct_ and 32 hexadecimal digits.", pointer="/account_id")
    return account_id


def _instant(said: object) -> datetime:
    try:
        at = datetime.fromisoformat(said if isinstance(said, str) else "")
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year < EARLIEST_YEAR:
        raise RecipientInvalid("An instant such as 2026-11-22T10:00:00Z.", pointer="/unsubscribed_at")
    return at.astimezone(UTC)


def _amount(said: Any) -> Decimal:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise AccountInvalid("A revenue is a number.", pointer="/account/revenue")
    return Decimal(str(said))


def _day(said: object) -> date:
    try:
        return date.fromisoformat(said if isinstance(said, str) else "")
    except ValueError:
        raise AccountInvalid("A date such as 2027-03-31.", pointer="/account/renews_on") from None
