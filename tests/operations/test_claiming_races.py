"""Two workers, two campaigns, one person: asked once, whichever commits first."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from app.db.engine import Engine, Tx
from app.db.identifiers import new_id
from app.db.tables import campaigns, invitations, recipients, sending_work, survey_versions
from app.domain.asking.asking import Asking
from app.domain.asking.invitation import ClaimedInvitation
from app.domain.survey.survey import Survey
from app.operations.invitations import candidates
from app.operations.invitations.claim import MailLease, claim_due_invitations
from app.operations.workspaces import create_workspace
from tests.askings import an_asking
from tests.builders import rows

NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
LINK_KEY = b"k" * 32
SURVEY = Survey("en", ("en",), {"en": "How likely are you to recommend us?"}).to_json()


@pytest.fixture
async def workspace_id(own_engine: Engine) -> UUID:
    async with own_engine.write() as tx:
        return (await create_workspace(tx, "Alice", time_zone="UTC", now=NOW)).live_id


async def a_person(engine: Engine, workspace_id: UUID) -> UUID:
    person = new_id(NOW)
    row = {"workspace_id": workspace_id, "id": person, "email": f"{person.hex}@example.com", "created_at": NOW}
    async with engine.write() as tx:
        await tx.execute(insert(recipients).values(row))
    return person


async def due(engine: Engine, workspace_id: UUID, person: UUID, **asking: Any) -> UUID:
    """An invitation of a campaign of its own."""
    campaign_id, invitation_id = new_id(NOW), new_id(NOW)
    ours = {"workspace_id": workspace_id}
    async with engine.write() as tx:
        await tx.execute(
            insert(campaigns).values(
                **ours, id=campaign_id, name="One of two", kind="relationship", metric="nps", state="running",
                launched_at=NOW, asking=Asking.from_json(an_asking(**asking)).to_json(),
            )
        )  # fmt: skip
        await tx.execute(
            insert(survey_versions).values(
                **ours, campaign_id=campaign_id, version=1, change="first", default_language="en", languages=["en"],
                content=SURVEY,
            )
        )  # fmt: skip
        await tx.execute(
            insert(invitations).values(
                **ours, id=invitation_id, campaign_id=campaign_id, recipient_id=person, slot="wave:1",
                survey_version=1, due_at=NOW, created_at=NOW - timedelta(days=1),
            )
        )  # fmt: skip
        await tx.execute(insert(sending_work).values(**ours, campaign_id=campaign_id, due_at=NOW))
    return invitation_id


async def claim(tx: Tx, now: datetime = NOW) -> list[ClaimedInvitation]:
    """Of one campaign: the other is left to the other worker."""
    with patch.object(candidates, "CAMPAIGNS_AT_ONCE", 1):
        claimed, _ = await claim_due_invitations(tx, lease=MailLease.of(25), limit=10, link_key=LINK_KEY, now=now)
    return claimed


async def states(engine: Engine) -> list[str]:
    return sorted(row["state"] for row in await rows(engine, "SELECT state FROM invitations"))


async def test_who_is_being_asked_by_one_worker_is_left_alone_by_the_other(
    own_engine: Engine, workspace_id: UUID
) -> None:
    person = await a_person(own_engine, workspace_id)
    await due(own_engine, workspace_id, person)
    await due(own_engine, workspace_id, person)
    async with own_engine.write() as first:
        asked = await claim(first)
        async with own_engine.write() as second:
            await second.execute(text("SET LOCAL lock_timeout = '1s'"))
            assert await claim(second) == []
    assert len(asked) == 1
    async with own_engine.write() as tx:
        assert await claim(tx) == []
    assert await states(own_engine) == ["planned", "sending"]


async def test_a_campaign_is_worked_on_by_one_worker_at_a_time(own_engine: Engine, workspace_id: UUID) -> None:
    await due(own_engine, workspace_id, await a_person(own_engine, workspace_id))
    async with own_engine.write() as first:
        assert len(await claim(first)) == 1
        async with own_engine.write() as second:
            assert await claim(second) == []
