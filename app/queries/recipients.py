"""People with their account and the last answer that counts. Whoever was erased is nowhere among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select, true

from app.db.engine import ReadTx, Tx
from app.db.tables import accounts, recipients, responses
from app.domain.audience.audience import Filter
from app.domain.people.recipient import RecipientNotFound
from app.queries.audience_readers import read_person
from app.queries.audience_sql import condition_of
from app.queries.audiences import check_campaigns_in, present_in
from app.queries.pages import Page, Slice, newest_first, paged


@dataclass(frozen=True, slots=True)
class RecipientFilter:
    """What is None does not filter. `starts_with` looks at name, e-mail and external id, without regard to case."""

    email: str | None = None
    external_id: str | None = None
    account_id: UUID | None = None
    starts_with: str | None = None
    properties: tuple[tuple[str, str], ...] = ()  # (key, value as text)
    is_unsubscribed: bool | None = None


async def list_recipients(tx: ReadTx, workspace_id: UUID, wanted: RecipientFilter, page: Page) -> Slice[RowMapping]:
    query = _people(workspace_id).where(recipients.c.deleted_at.is_(None), *_conditions(wanted))
    return await paged(tx, query, recipients, page)


async def query_recipients(
    tx: ReadTx, workspace_id: UUID, filter_: Filter, page: Page, *, now: datetime
) -> Slice[RowMapping]:
    """Those the filter fits, newest first. Raises UnknownCampaigns."""
    await check_campaigns_in(tx, workspace_id, filter_)
    fits = condition_of(filter_, read_person, await present_in(tx, workspace_id, now))
    return await newest_first(
        tx, _people(workspace_id).where(recipients.c.deleted_at.is_(None), fits), recipients, page
    )


async def get_recipient(tx: ReadTx | Tx, workspace_id: UUID, recipient_id: UUID) -> RowMapping:
    """Raises RecipientNotFound."""
    return (await read_recipients(tx, workspace_id, [recipient_id]))[0]


async def read_recipients(tx: ReadTx | Tx, workspace_id: UUID, recipient_ids: Sequence[UUID]) -> list[RowMapping]:
    """In the order asked for. Raises RecipientNotFound."""
    query = _people(workspace_id).where(recipients.c.deleted_at.is_(None), recipients.c.id.in_(recipient_ids))
    found = {row["id"]: row for row in (await tx.execute(query)).mappings()}
    if any(recipient_id not in found for recipient_id in recipient_ids):
        raise _unknown()
    return [found[recipient_id] for recipient_id in recipient_ids]


async def get_recipient_id(tx: ReadTx | Tx, workspace_id: UUID, kind: str, value: str) -> UUID:
    """By an identifier. Raises RecipientNotFound."""
    query = select(recipients.c.id).where(recipients.c.workspace_id == workspace_id, recipients.c[kind] == value)
    found: UUID | None = (await tx.execute(query)).scalar_one_or_none()
    if found is None:
        raise _unknown()
    return found


def _unknown() -> RecipientNotFound:
    return RecipientNotFound("There is no such recipient.")


def _people(workspace_id: UUID) -> Select[tuple[Any, ...]]:
    """Each with their account and the last answer that counts."""
    in_account = and_(accounts.c.workspace_id == recipients.c.workspace_id, accounts.c.id == recipients.c.account_id)
    last_answer = (
        select(responses.c.score.label("last_score"), responses.c.answered_at.label("last_answered_at"))
        .where(
            responses.c.workspace_id == recipients.c.workspace_id,
            responses.c.recipient_id == recipients.c.id,
            responses.c.excluded_at.is_(None),
        )
        .order_by(responses.c.answered_at.desc(), responses.c.id.desc())
        .limit(1)
        .lateral("last_answer")
    )
    return (
        select(
            recipients,
            accounts.c.external_id.label("account_external_id"),
            accounts.c.name.label("account_name"),
            last_answer.c.last_score,
            last_answer.c.last_answered_at,
        )
        .select_from(recipients.outerjoin(accounts, in_account).outerjoin(last_answer, true()))
        .where(recipients.c.workspace_id == workspace_id)
    )


def _conditions(wanted: RecipientFilter) -> list[ColumnElement[bool]]:
    column = recipients.c
    equal = {
        column.email: wanted.email,
        column.external_id: wanted.external_id,
        column.account_id: wanted.account_id,
    }
    conditions: list[ColumnElement[bool]] = [
        *(field == value for field, value in equal.items() if value is not None),
        *(column.properties[key].astext == value for key, value in wanted.properties),
    ]
    if wanted.is_unsubscribed is not None:
        asked = column.unsubscribed_at
        conditions.append(asked.is_not(None) if wanted.is_unsubscribed else asked.is_(None))
    if wanted.starts_with is not None:
        looked_at = (column.name, column.email, column.external_id)
        conditions.append(
            or_(*(func.lower(text).startswith(wanted.starts_with.lower(), autoescape=True) for text in looked_at))
        )
    return conditions
