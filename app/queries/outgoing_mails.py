"""Test mails of a campaign, and whom one can be written for."""

from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx, Tx
from app.db.tables import accounts, outgoing_mails, recipients
from app.domain.asking.invitation import Addressee
from app.domain.people.recipient import RecipientNotFound
from app.queries.pages import Page, Slice, newest_first

SHOWN = ("id", "campaign_id", "to_address", "subject", "state", "failure", "reply_code", "created_at", "settled_at")


async def list_test_mails(tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, page: Page) -> Slice[RowMapping]:
    kept = outgoing_mails.c
    query = select(*(kept[name] for name in SHOWN)).where(
        kept.workspace_id == workspace_id, kept.campaign_id == campaign_id, kept.purpose == "test"
    )
    return await newest_first(tx, query, outgoing_mails, page)  # type: ignore[arg-type]  # a Tx reads as well


async def get_addressee(tx: ReadTx | Tx, workspace_id: UUID, recipient_id: UUID) -> Addressee:
    """Raises RecipientNotFound."""
    who, at = recipients.c, accounts.c
    query = (
        select(who.id, who.email, who.name, who.locale, who.properties, at.name.label("account"), at.owner)
        .select_from(recipients.outerjoin(accounts, (at.workspace_id == who.workspace_id) & (at.id == who.account_id)))
        .where(who.workspace_id == workspace_id, who.id == recipient_id, who.deleted_at.is_(None))
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise RecipientNotFound("There is no recipient with this id.")
    return Addressee(
        row["id"], row["email"] or "nobody@example.com", row["name"], row["locale"], row["account"], row["owner"],
        row["properties"],
    )  # fmt: skip
