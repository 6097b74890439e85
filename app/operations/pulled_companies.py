"""Companies that were pulled by themselves. Only those that are here: the others come with their first person."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.connectors.pages import Record
from app.domain.connectors.pulled_fields import account_of
from app.domain.errors import DomainError
from app.domain.people.account import AccountInput
from app.domain.people.recipient_json import account_from_json
from app.operations.accounts import upsert_accounts


async def change_known_companies(
    tx: Tx, workspace_id: UUID, records: Sequence[Record], fields: Mapping[str, str], *, now: datetime
) -> None:
    """What cannot be followed is left as it is; people of that company report it."""
    said = list(_said(workspace_id, records, fields))
    names = [one.external_id for one in said]
    known = {row["external_id"] for row in await fetch(tx, _KNOWN, workspace_id, names)} if names else set()
    await upsert_accounts(tx, [one for one in said if one.external_id in known], now=now)


def _said(workspace_id: UUID, records: Sequence[Record], fields: Mapping[str, str]) -> Iterator[AccountInput]:
    for record in records:
        try:
            account = account_of(record, fields)
            if account is not None:
                yield account_from_json(account, workspace_id=workspace_id)
        except DomainError:
            continue


_KNOWN = "SELECT external_id FROM accounts WHERE workspace_id = $1 AND external_id = ANY($2::text[])"
