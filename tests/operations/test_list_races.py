"""A list grows and shrinks beside other edits of it, a launch and a planner, and nobody is overlooked."""

from datetime import UTC, datetime
from uuid import UUID

from app.db.engine import Engine
from app.domain import ids
from app.domain.campaign import CampaignMove
from app.operations.campaign_recipients import TAKEN_IN_AFTER, add_recipients, remove_recipient
from app.operations.campaigns import move_campaign
from app.operations.invitations.plan_campaigns import plan_due_campaign
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import create
from tests.conftest import Tenant
from tests.races import begun

NOW = datetime.now(UTC)


async def a_draft(engine: Engine, tenant: Tenant) -> tuple[UUID, UUID, list[UUID]]:
    """With the first of two people on its list."""
    people = []
    for name in ("ada", "bob"):
        reply = await tenant.api.post("/v1/recipients", json={"email": f"{name}@example.com"})
        people.append(ids.parsed("recipient", reply.json()["id"]))
    draft = await create(tenant, kind="relationship", asking=an_asking())
    campaign = ids.parsed("campaign", draft["id"])
    async with engine.write() as tx:
        await add_recipients(tx, tenant.workspace_id, campaign, people[:1], now=NOW)
    return tenant.workspace_id, campaign, people


async def has_list(engine: Engine, campaign: UUID) -> bool:
    (row,) = await rows(engine, "SELECT has_list FROM campaigns WHERE id = :id", id=campaign)
    return bool(row["has_list"])


async def test_somebody_who_is_put_on_a_list_while_the_last_leaves_it_is_on_one(engine: Engine, alice: Tenant) -> None:
    workspace, campaign, (ada, bob) = await a_draft(engine, alice)
    async with engine.write() as tx:
        await add_recipients(tx, workspace, campaign, [bob], now=NOW)
        removing = await begun(engine, lambda tx: remove_recipient(tx, workspace, campaign, ada))
    await removing
    assert await has_list(engine, campaign)


async def test_who_leaves_a_list_while_its_campaign_is_launched_leaves_one_of_nobody(
    engine: Engine, alice: Tenant
) -> None:
    workspace, campaign, (ada, _) = await a_draft(engine, alice)
    async with engine.write() as tx:
        await move_campaign(tx, workspace, campaign, CampaignMove.LAUNCH, now=NOW)
        removing = await begun(engine, lambda tx: remove_recipient(tx, workspace, campaign, ada))
    await removing
    assert await has_list(engine, campaign)


async def test_whoever_is_put_on_a_list_while_it_is_planned_by_is_looked_for_again(
    engine: Engine, alice: Tenant
) -> None:
    workspace, campaign, (_, bob) = await a_draft(engine, alice)
    async with engine.write() as tx:
        await move_campaign(tx, workspace, campaign, CampaignMove.LAUNCH, now=NOW)
    async with engine.write() as tx:
        while await plan_due_campaign(tx, now=NOW):
            pass
        adding = await begun(engine, lambda tx: add_recipients(tx, workspace, campaign, [bob], now=NOW))
    await adding
    (row,) = await rows(engine, "SELECT plan_due_at FROM campaigns WHERE id = :id", id=campaign)
    assert row["plan_due_at"] == NOW + TAKEN_IN_AFTER


async def test_what_is_due_is_not_put_off_by_a_list_that_grows(engine: Engine, alice: Tenant) -> None:
    workspace, campaign, (_, bob) = await a_draft(engine, alice)
    async with engine.write() as tx:
        await move_campaign(tx, workspace, campaign, CampaignMove.LAUNCH, now=NOW)
        await add_recipients(tx, workspace, campaign, [bob], now=NOW)
    (row,) = await rows(engine, "SELECT plan_due_at FROM campaigns WHERE id = :id", id=campaign)
    assert row["plan_due_at"] == NOW
