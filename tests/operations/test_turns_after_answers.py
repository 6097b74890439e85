"""So many days after an answer is not a moment less."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.db.engine import Engine
from app.domain import ids
from app.queries.asking_campaigns import get_asking_campaign
from app.queries.turns import find_after_answers
from tests.askings import an_asking
from tests.campaigns import create, move
from tests.conftest import Tenant
from tests.people import SomeAnswer, SomeRecipient, settle

ANSWERED_AT = datetime.now(UTC) + timedelta(hours=1)  # after the launch


@pytest.mark.parametrize(
    ("since", "turns"), [(timedelta(days=30, hours=-1, minutes=-1), 0), (timedelta(days=30, hours=1), 1)]
)
async def test_a_turn_comes_when_the_days_have_passed(
    alice: Tenant, engine: Engine, since: timedelta, turns: int
) -> None:
    asking = an_asking(trigger={"kind": "after_answer", "days": 30})
    made = await move(alice, await create(alice, kind="relationship", asking=asking), "launch")
    campaign_id = ids.parsed("campaign", made["id"])
    assert isinstance(campaign_id, UUID)
    answer = SomeAnswer(campaign_id, 9, ANSWERED_AT, id=uuid4())
    await settle(engine, alice.workspace_id, [SomeRecipient(answers=(answer,))])
    async with engine.read() as tx:
        campaign = await get_asking_campaign(tx, alice.workspace_id, campaign_id)
        assert campaign is not None
        assert len(await find_after_answers(tx, campaign, now=ANSWERED_AT + since)) == turns
