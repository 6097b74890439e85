"""Things that are valid by default: a test says only what it is about."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, text

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import campaigns, recipients, survey_versions
from app.domain.ids import shown
from app.domain.survey.survey import Survey


async def a_campaign(engine: Engine, workspace_id: UUID, **fields: Any) -> str:
    """A running NPS campaign; its id as the API shows it."""
    now = datetime.now(UTC)
    row = {
        "workspace_id": workspace_id, "id": new_id(now), "name": "After purchase", "kind": "transactional",
        "metric": "nps", "state": "running", **fields,
    }  # fmt: skip
    content = Survey("en", ("en",), {"en": "How likely are you to recommend us?"}).to_json()
    survey = {"default_language": "en", "languages": ["en"], "content": content, "change": "first"}
    async with engine.write() as tx:
        await tx.execute(insert(campaigns).values(row))
        await tx.execute(
            insert(survey_versions).values(workspace_id=workspace_id, campaign_id=row["id"], version=1, **survey)
        )
    return shown("campaign", row["id"])


async def a_recipient(engine: Engine, workspace_id: UUID, **fields: Any) -> str:
    row = {"workspace_id": workspace_id, "id": new_id(datetime.now(UTC)), "external_id": uuid4().hex, **fields}
    async with engine.write() as tx:
        await tx.execute(insert(recipients).values(row))
    return shown("recipient", row["id"])


def an_answer(campaign_id: str, **fields: Any) -> dict[str, Any]:
    return {"campaign_id": campaign_id, "score": 9, **fields}


async def rows(engine: Engine, query: str, **parameters: Any) -> list[dict[str, Any]]:
    async with engine.read() as tx:
        return [dict(row) for row in (await tx.execute(text(query), parameters)).mappings()]
