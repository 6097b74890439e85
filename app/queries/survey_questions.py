"""The further questions of surveys: what an answer may answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select

from app.db.engine import ReadTx, Tx
from app.db.tables import campaigns, survey_versions
from app.domain.survey.questions import Question


@dataclass(frozen=True, slots=True)
class AskedNow:
    """What a campaign asks now; a version is never changed once it takes answers."""

    survey_version: int
    questions: tuple[Question, ...]


async def questions_asked_now(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_ids: Collection[UUID]
) -> Mapping[UUID, AskedNow]:
    """By campaign; those that are not there are left out."""
    now = and_(
        survey_versions.c.workspace_id == campaigns.c.workspace_id,
        survey_versions.c.campaign_id == campaigns.c.id,
        survey_versions.c.version == campaigns.c.survey_version,
    )
    query = (
        select(campaigns.c.id, survey_versions.c.version, survey_versions.c.content["questions"].label("questions"))
        .join(survey_versions, now)
        .where(campaigns.c.workspace_id == workspace_id, campaigns.c.id.in_(campaign_ids))
    )
    rows = (await tx.execute(query)).all()
    return {row.id: AskedNow(row.version, _read(row.questions)) for row in rows}


async def questions_of_version(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, version: int
) -> tuple[Question, ...]:
    query = select(survey_versions.c.content["questions"]).where(
        survey_versions.c.workspace_id == workspace_id,
        survey_versions.c.campaign_id == campaign_id,
        survey_versions.c.version == version,
    )
    return _read((await tx.execute(query)).scalar_one())


def _read(content: list[dict[str, object]] | None) -> tuple[Question, ...]:
    return tuple(Question.from_json(question) for question in content or ())
