"""What a campaign asks, version by version."""

from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from app.db.engine import Tx
from app.db.tables import survey_versions
from app.domain.campaign import CampaignState
from app.domain.survey.survey import Survey, SurveyChange, SurveyChangeMissing, check_answered_alike
from app.queries.question_steps import read_questions


async def rewrite_survey(
    tx: Tx, before: Mapping[str, Any], survey: Survey, change: SurveyChange | None, *, now: datetime
) -> int:
    """The version asked from now on. A draft's is changed in place: nobody has seen it.

    Raises SurveyChangeMissing, SurveyInvalid.
    """
    workspace_id, campaign_id, version = before["workspace_id"], before["id"], int(before["survey_version"])
    if before["state"] == CampaignState.DRAFT:
        await tx.execute(
            update(survey_versions)
            .where(
                survey_versions.c.workspace_id == workspace_id,
                survey_versions.c.campaign_id == campaign_id,
                survey_versions.c.version == version,
            )
            .values(_content(survey))
        )
        return version
    if change is None:
        detail = "Answers to the old survey exist or may exist: say whether this is a typo or a new wording."
        raise SurveyChangeMissing(detail, pointer="/survey_change")
    asked = await read_questions(tx, {"workspace_id": workspace_id, "campaign_id": campaign_id})
    check_answered_alike(survey, chain.from_iterable(asked.values()))
    await add_survey_version(tx, workspace_id, campaign_id, version + 1, survey=survey, change=change, now=now)
    return version + 1


async def add_survey_version(
    tx: Tx, workspace_id: UUID, campaign_id: UUID, version: int, *, survey: Survey, change: SurveyChange, now: datetime
) -> None:
    place = {"workspace_id": workspace_id, "campaign_id": campaign_id, "version": version}
    await tx.execute(insert(survey_versions).values(**place, change=change.value, created_at=now, **_content(survey)))


def _content(survey: Survey) -> dict[str, Any]:
    return {
        "default_language": survey.default_language,
        "languages": list(survey.languages),
        "content": survey.to_json(),
    }
