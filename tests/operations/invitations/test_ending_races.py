"""A campaign that somebody changes at the moment at which it would end by itself, or pause."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.db.engine import Engine
from app.db.statements import fetch
from app.domain import ids
from app.domain.campaign import CampaignMove
from app.operations.campaigns import edit_campaign, move_campaign
from app.operations.invitations.end import complete_finished_campaigns, pause_harmful_campaigns
from tests.askings import an_asking
from tests.builders import a_campaign, rows
from tests.campaigns import read
from tests.conftest import Tenant
from tests.operations.invitations.office import Office
from tests.races import begun

NOW = datetime.now(UTC)


async def finished(office: Office) -> tuple[dict[str, Any], UUID]:
    """Nobody fitted its audience, and its wave is over."""
    campaign = await office.launched(wave_days=1)
    await office.plan()
    await office.engine_says("UPDATE waves SET state = 'closed'")
    found = ids.parsed("campaign", campaign["id"])
    assert found is not None
    return campaign, found


@pytest.mark.parametrize("change", ["paused", "edited"])
async def test_who_changes_a_campaign_just_before_it_is_found_to_be_finished_has_the_last_word(
    office: Office, change: str
) -> None:
    campaign, campaign_id = await finished(office)
    place = office.tenant.workspace_id, campaign_id
    async with office.engine.write() as tx:
        if change == "paused":
            await move_campaign(tx, *place, CampaignMove.PAUSE, now=office.now)
        else:
            await edit_campaign(tx, *place, fields={"asking": an_asking(wave_days=20)}, now=office.now)
        ending = await begun(office.engine, lambda tx: complete_finished_campaigns(tx, now=office.now))
    await ending
    assert (await read(office.tenant, campaign))["state"] == ("paused" if change == "paused" else "running")


async def test_one_that_is_finished_is_completed(office: Office) -> None:
    campaign, _ = await finished(office)
    async with office.engine.write() as tx:
        assert await complete_finished_campaigns(tx, now=office.now) == 1
    assert (await read(office.tenant, campaign))["state"] == "completed"


HARM = (
    "INSERT INTO sending_days (workspace_id, campaign_id, sent_on, sent_count, bounced_count) VALUES ($1,$2,$3,100,9)"
)


async def test_one_that_somebody_pauses_anyhow_does_not_keep_the_others_from_it(engine: Engine, alice: Tenant) -> None:
    made = [ids.parsed("campaign", await a_campaign(engine, alice.workspace_id)) for _ in range(2)]
    async with engine.write() as tx:
        for one in made:
            await fetch(tx, HARM, alice.workspace_id, one, NOW.date())
    async with engine.write() as tx:
        await move_campaign(tx, alice.workspace_id, made[0], CampaignMove.PAUSE, now=NOW)
        pausing = await begun(engine, lambda tx: pause_harmful_campaigns(tx, now=NOW))
    assert await pausing == 1
    found = await rows(engine, "SELECT state, paused_reason FROM campaigns WHERE id = ANY(:ids) ORDER BY id", ids=made)
    assert [(one["state"], one["paused_reason"]) for one in found] == [("paused", None), ("paused", "bounces")]
