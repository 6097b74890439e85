"""Responses, each with the metric of its campaign: it decides which band a score is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, and_, or_, select

from app.db.engine import ReadTx, Tx
from app.db.tables import campaigns, response_revisions, responses
from app.domain.scores.metric import METRICS, Band
from app.queries.pages import Page, Slice, paged


@dataclass(frozen=True, slots=True)
class ResponseFilter:
    """What is None does not filter. `answered_from` and `answered_until` are half-open."""

    campaign_id: UUID | None = None
    recipient_id: UUID | None = None
    channel: str | None = None
    band: Band | None = None
    lowest_score: int | None = None
    highest_score: int | None = None
    has_comment: bool | None = None
    is_excluded: bool | None = None
    answered_from: datetime | None = None
    answered_until: datetime | None = None
    import_id: str | None = None
    occasion: str | None = None


async def list_responses(tx: ReadTx, workspace_id: UUID, wanted: ResponseFilter, page: Page) -> Slice[RowMapping]:
    return await paged(tx, _filtered(_with_metric(workspace_id), wanted), responses, page)


async def find_response(tx: ReadTx | Tx, workspace_id: UUID, response_id: UUID) -> RowMapping | None:
    query = _with_metric(workspace_id).where(responses.c.id == response_id)
    return (await tx.execute(query)).mappings().one_or_none()


async def lock_response(tx: Tx, workspace_id: UUID, response_id: UUID) -> RowMapping | None:
    query = _with_metric(workspace_id).where(responses.c.id == response_id).with_for_update(of=responses)
    return (await tx.execute(query)).mappings().one_or_none()


async def list_revisions(tx: ReadTx, workspace_id: UUID, response_id: UUID) -> Sequence[RowMapping]:
    """What the response said before, oldest first."""
    kept = response_revisions.c
    query = (
        select(response_revisions)
        .where(kept.workspace_id == workspace_id, kept.response_id == response_id)
        .order_by(kept.revision)
    )
    return (await tx.execute(query)).mappings().all()


def _with_metric(workspace_id: UUID) -> Select[tuple[object, ...]]:
    same_campaign = and_(
        campaigns.c.workspace_id == responses.c.workspace_id, campaigns.c.id == responses.c.campaign_id
    )
    joined = responses.join(campaigns, same_campaign)
    return (
        select(responses, campaigns.c.metric, campaigns.c.is_anonymous)
        .select_from(joined)
        .where(responses.c.workspace_id == workspace_id)
    )


def _filtered(query: Select[tuple[object, ...]], wanted: ResponseFilter) -> Select[tuple[object, ...]]:
    column = responses.c
    equal = {
        column.campaign_id: wanted.campaign_id,
        column.recipient_id: wanted.recipient_id,
        column.channel: wanted.channel,
        column.import_id: wanted.import_id,
        column.occasion: wanted.occasion,
    }
    at_least = {column.score: wanted.lowest_score, column.answered_at: wanted.answered_from}
    present = {column.comment: wanted.has_comment, column.excluded_at: wanted.is_excluded}
    conditions = [
        *(field == value for field, value in equal.items() if value is not None),
        *(field >= value for field, value in at_least.items() if value is not None),
        *(field.is_not(None) if value else field.is_(None) for field, value in present.items() if value is not None),
    ]
    if wanted.import_id is not None or wanted.occasion is not None:
        conditions.append(campaigns.c.is_anonymous.is_(False))  # what is not shown is not searched for
    if wanted.highest_score is not None:
        conditions.append(column.score <= wanted.highest_score)
    if wanted.answered_until is not None:
        conditions.append(column.answered_at < wanted.answered_until)
    if wanted.band is not None:
        conditions.append(_in_band(wanted.band))
    return query.where(*conditions)


def _in_band(band: Band) -> ColumnElement[bool]:
    """A band is another range of scores under each metric."""
    return or_(
        *(
            and_(campaigns.c.metric == metric.key, responses.c.score.in_(metric.scores_by_band()[band]))
            for metric in METRICS.values()
        )
    )
