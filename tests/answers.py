"""Campaigns and answers straight into the tables, counted by the same fragments that recording uses."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.engine import Engine, Tx
from app.db.identifiers import new_id
from app.domain.scores.segment import VARIANT
from app.operations.rollups import rollup_ctes
from app.operations.segments import segment_ctes


@dataclass(frozen=True)
class Answer:
    score: int = 9
    answered_at: datetime = datetime(2026, 5, 4, 10, tzinfo=UTC)
    channel: str = "email"
    survey_version: int = 1
    properties: Mapping[str, Any] = field(default_factory=dict)
    recipient_properties: Mapping[str, Any] = field(default_factory=dict)
    excluded: bool = False
    variant: str | None = None


async def a_campaign(engine: Engine, workspace_id: UUID, *, metric: str = "nps", versions: int = 2) -> UUID:
    campaign_id = new_id(datetime.now(UTC))
    async with engine.write() as tx:
        await tx.execute(
            text(
                "INSERT INTO campaigns (workspace_id, id, name, kind, metric, state)"
                " VALUES (:workspace_id, :id, 'Orders', 'transactional', :metric, 'running')"
            ),
            {"workspace_id": workspace_id, "id": campaign_id, "metric": metric},
        )
        await tx.execute(
            text(
                "INSERT INTO survey_versions (workspace_id, campaign_id, version, change, default_language, content)"
                " SELECT :workspace_id, :id, n, 'first', 'en', '{}' FROM generate_series(1, :versions) n"
            ),
            {"workspace_id": workspace_id, "id": campaign_id, "versions": versions},
        )
    return campaign_id


async def count_in(engine: Engine, workspace_id: UUID, campaign_id: UUID, answers: Iterable[Answer]) -> None:
    """As recorded now: under the workspace's zone and its tracked properties of this moment."""
    async with engine.write() as tx:
        await record(tx, workspace_id, campaign_id, answers)


async def record(tx: Tx, workspace_id: UUID, campaign_id: UUID, answers: Iterable[Answer]) -> None:
    rows = [_row(answer) for answer in answers]
    keys = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    await tx.execute(RECORD, {**keys, "rows": json.dumps(rows)})


async def in_zone(engine: Engine, workspace_id: UUID, time_zone: str) -> None:
    async with engine.write() as tx:
        query = text("UPDATE workspaces SET time_zone = :time_zone WHERE id = :id")
        await tx.execute(query, {"time_zone": time_zone, "id": workspace_id})


def _row(answer: Answer) -> dict[str, Any]:
    return {**asdict(answer), "answered_at": answer.answered_at.isoformat(), "id": str(new_id(datetime.now(UTC)))}


RECORD = text(f"""
    WITH answers AS MATERIALIZED (
        SELECT CAST(:workspace_id AS uuid) AS workspace_id, CAST(:campaign_id AS uuid) AS campaign_id, a.*
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS a (
            id uuid, score int, answered_at timestamptz, channel text, survey_version int, properties jsonb,
            recipient_properties jsonb, excluded boolean, variant text
        )
    ),
    {segment_ctes("answers")},
    recorded AS (
        INSERT INTO responses (
            workspace_id, id, campaign_id, survey_version, slot, channel, score, properties, recipient_properties,
            segments, counted_on, answered_at, excluded_at
        )
        SELECT a.workspace_id, a.id, a.campaign_id, a.survey_version, 'response:' || a.id, a.channel, a.score,
            a.properties, a.recipient_properties, coalesce(s.segments, '{{}}')
                || jsonb_strip_nulls(jsonb_build_object('{VARIANT}', a.variant)),
            CAST(a.answered_at AT TIME ZONE w.time_zone AS date), a.answered_at, CASE WHEN a.excluded THEN now() END
        FROM answers a JOIN workspaces w ON w.id = a.workspace_id
        LEFT JOIN segmented s ON s.workspace_id = a.workspace_id AND s.id = a.id
        RETURNING *
    ),
    changes AS (SELECT *, 1 AS delta FROM recorded WHERE excluded_at IS NULL),
    {rollup_ctes("changes")}
    SELECT 1
""")
