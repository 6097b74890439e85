"""The hour in which most have answered so far is when the next are asked; until it is known, any open hour will do."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from app.db.statements import fetch
from app.domain import ids
from tests.operations.invitations.office import DAY, Office

BY_BEST_HOUR = {"best_hour": True}
TOKYO = "Asia/Tokyo"  # nine hours ahead of UTC, always


async def asked_before(office: Office, campaign: dict[str, Any], *, hour: int, people: int, answered: int) -> None:
    """So many people of Tokyo were asked in that hour of a day of theirs, and so many of them answered."""
    asked_at = office.now.replace(hour=hour, minute=30) - 40 * DAY - timedelta(hours=9)
    async with office.engine.write() as tx:
        await fetch(
            tx, _ASKED_BEFORE, office.tenant.workspace_id, ids.parsed("campaign", campaign["id"]), f"{hour}", people,
            answered, TOKYO, asked_at,
        )  # fmt: skip


async def hours(office: Office, campaign: dict[str, Any]) -> Counter[int]:
    """Of Tokyo, at which people are to be asked."""
    listed = await office.tenant.api.get(
        f"/v1/campaigns/{campaign['id']}/invitations", params={"state": "planned", "limit": 500}
    )
    dues = [datetime.fromisoformat(one["due_at"]) for one in listed.json()["data"]]
    return Counter((due + timedelta(hours=9)).hour for due in dues)


async def test_most_are_asked_at_the_hour_that_has_shown_to_be_the_best(office: Office) -> None:
    campaign = await office.launched(window=BY_BEST_HOUR)
    await asked_before(office, campaign, hour=20, people=120, answered=70)
    await asked_before(office, campaign, hour=8, people=120, answered=20)
    await office.people(*(f"p{at}" for at in range(60)), time_zone=TOKYO)

    await office.plan()

    found = await hours(office, campaign)
    assert 60 * 0.6 < found[20] < 60  # a fifth go on trying the others


async def test_until_it_is_known_any_hour_will_do(office: Office) -> None:
    campaign = await office.launched(window=BY_BEST_HOUR)
    await asked_before(office, campaign, hour=20, people=20, answered=15)
    await asked_before(office, campaign, hour=8, people=20, answered=2)
    await office.people(*(f"p{at}" for at in range(10)), time_zone=TOKYO)

    await office.plan()

    assert set(await hours(office, campaign)) <= {(office.now + timedelta(hours=9)).hour}


_ASKED_BEFORE = """
    WITH people AS (
        INSERT INTO recipients (workspace_id, id, external_id, time_zone, unsubscribed_at, asked_at, created_at)
        SELECT $1, uuid_v7($7), $3 || '-' || n, $6, $7, $7, $7 FROM generate_series(1, $4::int) n
        RETURNING id, external_id
    )
    INSERT INTO invitations
        (workspace_id, id, campaign_id, recipient_id, slot, survey_version, state, asked_at, answered_at, created_at)
    SELECT $1, uuid_v7($7), $2, id, 'wave:0', 1, 'answered', $7,
        CASE WHEN split_part(external_id, '-', 2)::int <= $5::int THEN $7::timestamptz END, $7
    FROM people
"""
