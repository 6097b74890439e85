from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, func, or_, select

from app.db.engine import ReadTx, Tx
from app.db.tables import accounts
from app.domain.people.account import AccountNotFound
from app.queries.pages import Page, Slice, paged


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What is None does not filter. `starts_with` looks at name and external id, without regard to case."""

    external_id: str | None = None
    owner: str | None = None
    tier: str | None = None
    starts_with: str | None = None


async def list_accounts(tx: ReadTx, workspace_id: UUID, wanted: AccountFilter, page: Page) -> Slice[RowMapping]:
    column = accounts.c
    equal = {column.external_id: wanted.external_id, column.owner: wanted.owner, column.tier: wanted.tier}
    query = select(accounts).where(
        column.workspace_id == workspace_id, *(field == value for field, value in equal.items() if value is not None)
    )
    if wanted.starts_with is not None:
        prefix = wanted.starts_with.lower()
        looked_at = (column.name, column.external_id)
        query = query.where(or_(*(func.lower(text).startswith(prefix, autoescape=True) for text in looked_at)))
    return await paged(tx, query, accounts, page)


async def get_account(tx: ReadTx | Tx, workspace_id: UUID, account_id: UUID) -> RowMapping:
    """Raises AccountNotFound."""
    query = select(accounts).where(accounts.c.workspace_id == workspace_id, accounts.c.id == account_id)
    found = (await tx.execute(query)).mappings().one_or_none()
    if found is None:
        raise AccountNotFound("There is no account with this id.")
    return found


async def get_account_id(tx: ReadTx | Tx, workspace_id: UUID, external_id: str) -> UUID:
    """Raises AccountNotFound."""
    query = select(accounts.c.id).where(accounts.c.workspace_id == workspace_id, accounts.c.external_id == external_id)
    found: UUID | None = (await tx.execute(query)).scalar_one_or_none()
    if found is None:
        raise AccountNotFound("There is no account with this external id.")
    return found
