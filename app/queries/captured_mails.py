"""Mails that went nowhere, as people read them."""

from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx
from app.db.tables import captured_mails
from app.queries.pages import Page, Slice, newest_first


async def list_captured_mails(tx: ReadTx, workspace_id: UUID, page: Page, *, to: str = "") -> Slice[RowMapping]:
    """Newest first. `to`: only of this address."""
    kept = captured_mails.c
    query = select(kept.id, kept.recipient_id, kept.purpose, kept.to_address, kept.subject, kept.created_at)
    query = query.where(kept.workspace_id == workspace_id)
    if to:
        query = query.where(kept.to_address == to.lower())
    return await newest_first(tx, query, captured_mails, page)


async def find_captured_mail(tx: ReadTx, workspace_id: UUID, mail_id: UUID) -> RowMapping | None:
    """With its bytes."""
    kept = captured_mails.c
    query = select(captured_mails).where(kept.workspace_id == workspace_id, kept.id == mail_id)
    return (await tx.execute(query)).mappings().one_or_none()
