"""Who may tell us of bounces: found by the hash of the key in its address, and shown without its secret."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, select

from app.db.engine import ReadTx, Tx
from app.db.tables import mail_sources
from app.domain.mail.mail_source import MailSourceNotFound, key_digest
from app.queries.pages import Page, Slice, newest_first

SHOWN = ("workspace_id", "id", "kind", "name", "topic_arn", "created_at", "heard_at")


async def find_source_by_key(tx: ReadTx | Tx, key: str) -> RowMapping | None:
    """With its sealed secret."""
    query = select(mail_sources).where(mail_sources.c.key_hash == key_digest(key))
    return (await tx.execute(query)).mappings().one_or_none()


async def get_source(tx: ReadTx | Tx, workspace_id: UUID, source_id: UUID) -> RowMapping:
    """Raises MailSourceNotFound."""
    query = _shown(workspace_id).where(mail_sources.c.id == source_id)
    row: RowMapping | None = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise MailSourceNotFound("There is no mail source with this id.")
    return row


async def list_sources(tx: ReadTx, workspace_id: UUID, page: Page) -> Slice[RowMapping]:
    return await newest_first(tx, _shown(workspace_id), mail_sources, page)


async def count_sources(tx: Tx, workspace_id: UUID) -> int:
    query = select(func.count()).select_from(mail_sources).where(mail_sources.c.workspace_id == workspace_id)
    return (await tx.execute(query)).scalar_one()


def _shown(workspace_id: UUID) -> Select[Any]:
    columns = [mail_sources.c[name] for name in SHOWN]
    return select(*columns).where(mail_sources.c.workspace_id == workspace_id)
