"""A campaign, a person, and the link that was sent to them."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import insert, update

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import campaigns, invitations, messages, recipients, survey_versions, workspaces
from app.domain.survey.survey_token import random_token, survey_token, token_digest
from app.queries.recount import miscounted_segments, rollup_differences
from tests.builders import rows
from tests.conftest import Tenant

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
SURVEY: dict[str, Any] = {
    "default_language": "en",
    "languages": ["en", "de", "ar"],
    "question": {
        "en": "How likely are you to recommend Northwind to a friend or colleague?",
        "de": "Wie wahrscheinlich ist es, dass Sie Northwind weiterempfehlen?",
        "ar": "ما مدى احتمال أن توصي بنا صديقًا أو زميلًا؟",
    },
    "follow_up": {
        "detractor": {"en": "What went wrong, and what should we fix first?", "de": "Was ist schiefgegangen?"},
        "passive": {"en": "What is missing?"},
        "promoter": {"en": "What do you like most?"},
    },
    "thank_you": {
        "promoter": {"en": {"text": "Thank you, {name|friend}!", "link": "https://reviews.example/northwind"}},
        "detractor": {"en": {"text": "We are sorry."}},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    engine: Engine
    workspace_id: UUID
    campaign_id: UUID
    recipient_id: UUID
    invitation_id: UUID
    token: str

    @property
    def path(self) -> str:
        return f"/s/{self.token}"

    async def response(self) -> dict[str, Any] | None:
        found = await rows(self.engine, "SELECT * FROM responses WHERE campaign_id = :id", id=self.campaign_id)
        assert len(found) <= 1
        return found[0] if found else None

    async def invitation(self) -> dict[str, Any]:
        (found,) = await rows(self.engine, "SELECT * FROM invitations WHERE id = :id", id=self.invitation_id)
        return found

    async def recipient(self) -> dict[str, Any]:
        (found,) = await rows(self.engine, "SELECT * FROM recipients WHERE id = :id", id=self.recipient_id)
        return found

    async def events(self) -> list[str]:
        query = "SELECT type FROM events WHERE workspace_id = :id ORDER BY id"
        return [row["type"] for row in await rows(self.engine, query, id=self.workspace_id)]

    async def counted(self) -> int:
        """Answers in the score."""
        query = "SELECT count(*) AS n FROM responses WHERE campaign_id = :id AND excluded_at IS NULL"
        return int((await rows(self.engine, query, id=self.campaign_id))[0]["n"])

    async def change(self, table: Any, **values: Any) -> None:
        keys = {"invitations": self.invitation_id, "campaigns": self.campaign_id, "workspaces": self.workspace_id}
        async with self.engine.write() as tx:
            await tx.execute(update(table).where(table.c.id == keys[table.name]).values(**values))


async def a_link(
    app: FastAPI,
    tenant: Tenant,
    *,
    survey: dict[str, Any] | None = None,
    campaign: dict[str, Any] | None = None,
    person: dict[str, Any] | None = None,
    brand: dict[str, Any] | None = None,
    mailed: timedelta | None = timedelta(hours=2),
    age: timedelta = timedelta(days=30),
    **invitation: Any,
) -> Asked:
    """`mailed` ago, in a workspace of that `age`."""
    now = datetime.now(UTC)
    services = app.state.services
    ids = [new_id(now) for _ in range(4)]
    made = {"name": "Relationship", "kind": "relationship", "metric": "nps", "state": "running", **(campaign or {})}
    key = await services.survey_link_key.read()
    token = random_token(os.urandom(17)) if made.get("is_anonymous") else survey_token(key, ids[2])
    of = {"workspace_id": tenant.workspace_id}
    content = {**SURVEY, **(survey or {})}
    async with services.engine.write() as tx:
        look = {"name": "Northwind", "accent": "#3b4cca", **(brand or {})}
        await tx.execute(
            update(workspaces).where(workspaces.c.id == tenant.workspace_id).values(created_at=now - age, brand=look)
        )
        await tx.execute(insert(campaigns).values(**of, id=ids[0], **made))
        await tx.execute(
            insert(survey_versions).values(
                **of, campaign_id=ids[0], version=1, change="first", default_language=content["default_language"],
                languages=content["languages"], content=content,
            )
        )  # fmt: skip
        who = {"email": f"jane.{ids[1].hex[-8:]}@example.com", "name": "Jane", **(person or {})}
        await tx.execute(insert(recipients).values(**of, id=ids[1], **who))
        sent = {"slot": "campaign", "survey_version": 1, "state": "sent", "asked_at": now, **invitation}
        hashed = token_digest(token)
        await tx.execute(
            insert(invitations).values(
                **of, id=ids[2], campaign_id=ids[0], recipient_id=ids[1], **{"token_hash": hashed, **sent}
            )
        )
        if mailed is not None:
            await tx.execute(
                insert(messages).values(
                    **of, id=ids[3], campaign_id=ids[0], invitation_id=ids[2], kind="first", domain="example.com",
                    state="sent", created_at=now - mailed, settled_at=now - mailed,
                )
            )  # fmt: skip
    return Asked(services.engine, tenant.workspace_id, ids[0], ids[1], ids[2], token)


async def no_answer_is_counted_wrong(engine: Engine, workspace_id: UUID) -> bool:
    async with engine.read() as tx:
        return not await rollup_differences(tx, workspace_id) and not await miscounted_segments(tx, workspace_id)
