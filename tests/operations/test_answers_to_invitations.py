"""An answer to an invitation knows what was asked, counts where it belongs and marks the invitation answered."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import invitations
from app.db.vault import Vault
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.response import AlreadyAnswered, Certainty, Channel, IfAnswered
from app.operations.instance_keys import AddressKey
from app.operations.responses.new_response import NewResponse, What
from app.operations.responses.recorder import Recorder
from app.queries.recount import miscounted_segments, rollup_differences
from tests.builders import a_campaign, a_recipient, rows
from tests.conftest import SECRET_KEYS, Tenant

NOW = datetime.now(UTC)


@pytest.fixture
async def recorder(engine: Engine) -> Any:
    key = AddressKey(engine, Vault.read(SECRET_KEYS))
    async with Recorder(engine, address_key=key, queue_limit=10_000) as recorder:
        yield recorder


@pytest.fixture
async def invitation(engine: Engine, alice: Tenant) -> dict[str, Any]:
    campaign = ids.parsed("campaign", await a_campaign(engine, alice.workspace_id))
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id))
    row = {
        "workspace_id": alice.workspace_id, "id": new_id(NOW), "campaign_id": campaign, "recipient_id": person,
        "slot": "wave:3", "wave": 3, "survey_version": 1, "variant": "b", "state": "sent", "due_at": NOW,
    }  # fmt: skip
    async with engine.write() as tx:
        await tx.execute(insert(invitations).values(row))
    return row


def answer(invitation: dict[str, Any], **said: Any) -> NewResponse:
    now = datetime.now(UTC)
    told = {"score": 9, "if_answered": IfAnswered.AMEND, **said}
    return NewResponse(
        workspace_id=invitation["workspace_id"], id=new_id(now), event_id=new_id(now), channel=Channel.EMAIL,
        campaign_id=invitation["campaign_id"], recipient_id=invitation["recipient_id"], answered_at=now,
        received_at=now, invitation_id=invitation["id"], asked_version=1, wave=3, variant="b", actor="page", **told,
    )  # fmt: skip


async def stored(engine: Engine, invitation: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(response, invitation)"""
    (response,) = await rows(engine, "SELECT * FROM responses WHERE invitation_id = :id", id=invitation["id"])
    (asked,) = await rows(engine, "SELECT * FROM invitations WHERE id = :id", id=invitation["id"])
    return response, asked


async def assert_exact(engine: Engine, workspace_id: UUID) -> None:
    async with engine.read() as tx:
        assert await rollup_differences(tx, workspace_id) == []
        assert await miscounted_segments(tx, workspace_id) == []


async def test_an_answer_marks_its_invitation_and_ends_its_messages(
    engine: Engine, alice: Tenant, recorder: Recorder, invitation: dict[str, Any]
) -> None:
    recorded = await recorder.submit(alice.workspace_id, answer(invitation))
    response, asked = await stored(engine, invitation)
    assert recorded.what is What.CREATED
    assert (asked["state"], asked["due_at"], asked["response_id"]) == ("answered", None, response["id"])
    assert asked["answered_at"] is not None
    assert asked["commented_at"] is None


async def test_an_answer_is_counted_in_its_wave_and_under_its_variant(
    engine: Engine, alice: Tenant, recorder: Recorder, invitation: dict[str, Any]
) -> None:
    await recorder.submit(alice.workspace_id, answer(invitation))
    counted = await rows(
        engine,
        "SELECT wave, property_key, property_value, s9 FROM score_rollups WHERE workspace_id = :w ORDER BY 2",
        w=alice.workspace_id,
    )
    assert [tuple(row.values()) for row in counted] == [(3, "", "", 1), (3, "@variant", "b", 1)]
    await recorder.submit(alice.workspace_id, answer(invitation, score=2))
    await assert_exact(engine, alice.workspace_id)
    shown = (await alice.api.get("/v1/responses")).json()["data"][0]
    assert (shown["variant"], shown["wave"], shown["segments"], shown["score"]) == ("b", 3, {}, 2)


async def test_later_parts_add_what_they_say_and_take_nothing_away(
    engine: Engine, alice: Tenant, recorder: Recorder, invitation: dict[str, Any]
) -> None:
    first = {"certainty": Certainty.PROBABLE, "answers": json.dumps({"why": "price"})}
    await recorder.submit(alice.workspace_id, answer(invitation, **first))
    later = await recorder.submit(
        alice.workspace_id, answer(invitation, comment="Late", answers=json.dumps({"team": "north"}))
    )
    response, asked = await stored(engine, invitation)
    assert later.what is What.AMENDED
    assert response["certainty"] == "confirmed"
    assert response["answers"] == {"why": "price", "team": "north"}
    assert response["comment"] == "Late"
    assert asked["commented_at"] is not None


async def test_the_same_part_again_changes_nothing(
    engine: Engine, alice: Tenant, recorder: Recorder, invitation: dict[str, Any]
) -> None:
    said = {"answers": json.dumps({"why": "price"}), "comment": "Late"}
    await recorder.submit(alice.workspace_id, answer(invitation, **said))
    again = await recorder.submit(alice.workspace_id, answer(invitation, **said))
    unsure = await recorder.submit(alice.workspace_id, answer(invitation, certainty=Certainty.PROBABLE, **said))
    assert (again.what, unsure.what) == (What.REPEATED, What.REPEATED)
    assert (await stored(engine, invitation))[0]["revision"] == 1


async def test_one_invitation_has_one_answer(
    engine: Engine, alice: Tenant, recorder: Recorder, invitation: dict[str, Any]
) -> None:
    await recorder.submit(alice.workspace_id, answer(invitation))
    with pytest.raises(DomainError) as refused:
        await recorder.submit(alice.workspace_id, answer(invitation, score=1, if_answered=IfAnswered.REFUSE))
    assert isinstance(refused.value, AlreadyAnswered)
