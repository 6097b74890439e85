"""A campaign that does harm pauses by itself, says why, and tells whoever looks after the workspace."""

from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from app.db.engine import Engine
from app.db.statements import fetch
from app.domain import ids
from app.operations.invitations.end import pause_harmful_campaigns
from tests.builders import a_campaign, rows
from tests.conftest import Tenant

NOW = datetime.now(UTC)
COUNT = """
    INSERT INTO sending_days (workspace_id, campaign_id, sent_on, sent_count, bounced_count, complained_count)
    VALUES ($1, $2, $3, $4, $5, $6)
"""


async def mailed(engine: Engine, tenant: Tenant, *, sent: int, bounced: int = 0, complained: int = 0) -> UUID:
    campaign = ids.parsed("campaign", await a_campaign(engine, tenant.workspace_id))
    assert campaign is not None
    async with engine.write() as tx:
        await fetch(tx, COUNT, tenant.workspace_id, campaign, NOW.date(), sent, bounced, complained)
    return campaign


async def paused(engine: Engine) -> None:
    async with engine.write() as tx:
        await pause_harmful_campaigns(tx, now=NOW)


async def state(engine: Engine, campaign: UUID) -> tuple[str, str | None]:
    (row,) = await rows(engine, "SELECT state, paused_reason FROM campaigns WHERE id = :id", id=campaign)
    return row["state"], row["paused_reason"]


async def test_bounces_and_complaints_pause_and_are_announced(engine: Engine, alice: Tenant) -> None:
    await alice.api.patch("/v1/workspace", json={"sender": {"notify_email": "ops@shop.example"}})
    bouncing = await mailed(engine, alice, sent=100, bounced=6)
    hated = await mailed(engine, alice, sent=1_000, complained=4)
    fine = await mailed(engine, alice, sent=1_000, bounced=50, complained=3)
    await paused(engine)
    assert await state(engine, bouncing) == ("paused", "bounces")
    assert await state(engine, hated) == ("paused", "complaints")
    assert await state(engine, fine) == ("running", None)
    told = await rows(engine, "SELECT type FROM events WHERE campaign_id = :id AND type = 'campaign.paused'", id=hated)
    assert len(told) == 1
    subject = "SELECT subject FROM outgoing_mails WHERE workspace_id = :id"
    assert await rows(engine, subject, id=alice.workspace_id) == [{"subject": "Alice: a campaign was paused"}] * 2


async def test_whoever_resumes_it_begins_with_a_clean_slate(engine: Engine, alice: Tenant) -> None:
    campaign = await mailed(engine, alice, sent=100, bounced=6)
    await paused(engine)
    assert (await state(engine, campaign))[0] == "paused"
    path = f"/v1/campaigns/{ids.shown('campaign', campaign)}/resume"
    assert (await alice.api.post(path)).status_code == 200
    await paused(engine)
    assert (await state(engine, campaign))[0] == "running"


async def test_the_clean_slate_begins_with_the_day_of_the_workspace(engine: Engine, alice: Tenant) -> None:
    assert (await alice.api.patch("/v1/workspace", json={"time_zone": "Pacific/Auckland"})).status_code == 200
    campaign = await mailed(engine, alice, sent=100, bounced=6)
    await paused(engine)
    await alice.api.post(f"/v1/campaigns/{ids.shown('campaign', campaign)}/resume")
    morning = datetime.combine(NOW.date(), time(0, 30), tzinfo=ZoneInfo("Pacific/Auckland"))  # the day before, in UTC
    resumed = "UPDATE events SET occurred_at = $2 WHERE campaign_id = $1 AND type = 'campaign.resumed'"
    async with engine.write() as tx:
        await fetch(tx, resumed, campaign, morning)

    await paused(engine)
    assert (await state(engine, campaign))[0] == "running"
