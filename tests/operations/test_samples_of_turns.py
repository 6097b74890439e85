"""Campaigns that look at everybody every hour take their sample once, not once an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.engine import Engine
from app.domain import ids
from app.domain.asking.invitation import AskingCampaign
from app.operations.invitations.plan_campaigns import plan
from app.queries.asking_campaigns import get_asking_campaign
from tests.askings import an_asking
from tests.campaigns import create, move
from tests.conftest import Tenant
from tests.people import SomeAccount, SomeRecipient, settle

NOW = datetime.now(UTC)
ASK = text(
    "UPDATE invitations SET state = 'sent', asked_at = :now WHERE campaign_id = :id AND state = 'planned'"
    " RETURNING recipient_id"
)


async def launched(alice: Tenant, engine: Engine, **asking: Any) -> AskingCampaign:
    made = await move(alice, await create(alice, kind="relationship", asking=an_asking(**asking)), "launch")
    campaign_id = ids.parsed("campaign", made["id"])
    assert campaign_id is not None
    async with engine.read() as tx:
        campaign = await get_asking_campaign(tx, alice.workspace_id, campaign_id)
    assert campaign is not None
    return campaign


async def invited_at(engine: Engine, campaign: AskingCampaign, now: datetime) -> set[UUID]:
    """Plans, and asks whom it planned."""
    async with engine.write() as tx:
        await plan(tx, campaign, now=now)
    async with engine.write() as tx:
        found = await tx.execute(ASK, {"now": now, "id": campaign.id})
        return {row.recipient_id for row in found}


async def test_who_is_asked_some_days_after_an_answer_is_sampled_once_in_so_many_days(
    alice: Tenant, engine: Engine
) -> None:
    people = [SomeRecipient() for _ in range(100)]
    await settle(engine, alice.workspace_id, people)
    campaign = await launched(
        alice, engine, trigger={"kind": "after_answer", "days": 30}, sample={"percent": 20}, quarantine_days=0
    )
    first = await invited_at(engine, campaign, NOW + timedelta(hours=1))
    again = await invited_at(engine, campaign, NOW + timedelta(hours=2))
    later = await invited_at(engine, campaign, NOW + timedelta(days=31))
    assert 5 <= len(first) <= 40
    assert again == set()
    assert later
    assert later.isdisjoint(first)


async def test_of_one_account_no_more_are_asked_after_answers_in_so_many_days(alice: Tenant, engine: Engine) -> None:
    account = SomeAccount()
    colleagues = {one.id: one for one in (SomeRecipient(account=account) for _ in range(5))}
    alone = SomeRecipient()
    await settle(engine, alice.workspace_id, [*colleagues.values(), alone])
    campaign = await launched(
        alice, engine, trigger={"kind": "after_answer", "days": 30}, most_per_account=2, quarantine_days=0
    )

    first = await invited_at(engine, campaign, NOW + timedelta(hours=1))
    again = await invited_at(engine, campaign, NOW + timedelta(hours=2))
    later = await invited_at(engine, campaign, NOW + timedelta(days=31))

    assert alone.id in first
    assert len(first & colleagues.keys()) == 2
    assert again == set()
    assert len(later & colleagues.keys()) == 2
    assert later.isdisjoint(first - {alone.id})


async def test_who_is_asked_around_a_date_is_sampled_by_the_date(alice: Tenant, engine: Engine) -> None:
    today = NOW.date().isoformat()
    await settle(engine, alice.workspace_id, [SomeRecipient(properties={"exam_on": today}) for _ in range(100)])
    campaign = await launched(
        alice, engine, trigger={"kind": "date_property", "property": "exam_on"}, sample={"percent": 20}
    )
    first = await invited_at(engine, campaign, NOW + timedelta(hours=1))
    again = await invited_at(engine, campaign, NOW + timedelta(hours=2))
    assert 5 <= len(first) <= 40
    assert again == set()
