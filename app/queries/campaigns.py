"""Campaigns, each with the survey that it asks now, as JSON."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, select

from app.db.engine import ReadTx, Tx
from app.db.tables import campaigns, survey_versions
from app.domain.campaign import CampaignKind, CampaignNotFound, CampaignState
from app.domain.scores.metric import MetricKey
from app.queries.pages import Page, Slice, by_number, paged


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    state: CampaignState | None = None
    kind: CampaignKind | None = None
    metric: MetricKey | None = None


async def get_campaign(tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID) -> dict[str, Any]:
    """With the survey it asks now, as JSON. Raises CampaignNotFound."""
    row = (await tx.execute(_with_survey(workspace_id).where(campaigns.c.id == campaign_id))).mappings().one_or_none()
    if row is None:
        raise CampaignNotFound("There is no campaign with this id.")
    return dict(row)


async def get_campaigns(tx: ReadTx | Tx, workspace_id: UUID, campaign_ids: list[UUID]) -> list[dict[str, Any]]:
    """Those of them that are there, in the order of their ids."""
    query = _with_survey(workspace_id).where(campaigns.c.id.in_(campaign_ids)).order_by(campaigns.c.id)
    return [dict(row) for row in (await tx.execute(query)).mappings()]


async def list_campaigns(tx: ReadTx, workspace_id: UUID, wanted: CampaignFilter, page: Page) -> Slice[RowMapping]:
    query = _with_survey(workspace_id)
    for column, value in (("state", wanted.state), ("kind", wanted.kind), ("metric", wanted.metric)):
        if value is not None:
            query = query.where(campaigns.c[column] == value.value)
    return await paged(tx, query, campaigns, page)


async def list_survey_versions(tx: ReadTx, workspace_id: UUID, campaign_id: UUID, page: Page) -> Slice[RowMapping]:
    """Newest first. Raises CampaignNotFound."""
    await get_campaign(tx, workspace_id, campaign_id)
    table = survey_versions.c
    query = select(survey_versions).where(table.workspace_id == workspace_id, table.campaign_id == campaign_id)
    return await by_number(tx, query, table.version, page, is_descending=True)


def _with_survey(workspace_id: UUID) -> Select[Any]:
    asked_now = and_(
        survey_versions.c.workspace_id == campaigns.c.workspace_id,
        survey_versions.c.campaign_id == campaigns.c.id,
        survey_versions.c.version == campaigns.c.survey_version,
    )
    query = select(campaigns, survey_versions.c.content.label("survey")).join(survey_versions, asked_now)
    return query.where(campaigns.c.workspace_id == workspace_id)
