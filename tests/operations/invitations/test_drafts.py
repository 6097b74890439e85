"""The plan of a draft says what would come of launching it now, however long ago it was written."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain import ids
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import create, move
from tests.operations.invitations.office import DAY, HOUR, Office

MONTHLY = {"kind": "every", "count": 1, "unit": "months"}
BERLIN = ZoneInfo("Europe/Berlin")


async def written(office: Office, days_ago: int, *, starts_at: datetime | None = None, **asking: Any) -> dict[str, Any]:
    said = {"starts_at": starts_at.isoformat()} if starts_at else {}
    draft = await create(office.tenant, kind="relationship", asking=an_asking(**asking), **said)
    campaign_id = ids.parsed("campaign", draft["id"])
    since = f"created_at - interval '{days_ago} days'"
    await office.engine_says(f"UPDATE campaigns SET created_at = {since} WHERE id = '{campaign_id}'")
    return draft


async def foreseen(office: Office, draft: dict[str, Any]) -> list[datetime]:
    """The hour of each mail."""
    reply = await office.tenant.api.post(f"/v1/campaigns/{draft['id']}/plan", json={})
    assert reply.status_code == 200, reply.text
    hours = [(hour, datetime.fromisoformat(hour["day"])) for hour in reply.json()["after"]["hours"]]
    return [day.replace(hour=hour["hour"], tzinfo=BERLIN) for hour, day in hours for _ in range(hour["count"])]


async def once_launched(office: Office, draft: dict[str, Any]) -> list[datetime]:
    await move(office.tenant, draft, "launch")
    office.now = max(office.now, datetime.now(UTC))
    await office.plan()
    return [row["due_at"] for row in await rows(office.engine, "SELECT due_at FROM invitations ORDER BY due_at")]


def are_those(foreseen: Sequence[datetime], dues: Sequence[datetime]) -> bool:
    """To the hour, and what passes between the plan and the launch."""
    apart = [due - hour for hour, due in zip(foreseen, dues, strict=True)]
    return all(timedelta(0) <= one < HOUR + timedelta(minutes=10) for one in apart)


@pytest.mark.parametrize(
    "asking",
    [
        {"trigger": {**MONTHLY, "spread": "evenly"}},
        {"trigger": MONTHLY, "spread_days": 20, "wave_days": 20},
        {"trigger": {"kind": "after_answer", "days": 90}},
    ],
)
async def test_a_plan_is_that_of_a_launch_today(office: Office, asking: dict[str, Any]) -> None:
    await office.people(*(f"p{at}" for at in range(8)))
    draft = await written(office, 17, **asking)

    plan = await foreseen(office, draft)

    assert len(plan) == 8
    assert are_those(plan, await once_launched(office, draft))


async def test_a_plan_is_about_the_day_on_which_the_campaign_starts(office: Office) -> None:
    await office.people("ada", "bob")
    starts_at = (datetime.now(UTC) + 40 * DAY).replace(minute=30)
    draft = await written(office, 3, starts_at=starts_at, trigger={"kind": "after_answer", "days": 90})

    assert are_those(await foreseen(office, draft), [starts_at, starts_at])
    await move(office.tenant, draft, "launch")
    assert are_those(await foreseen(office, draft), [starts_at, starts_at])


async def test_a_start_that_has_passed_is_the_launch(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(8)))
    starts_at = datetime.now(UTC) - timedelta(days=9)
    draft = await written(office, 12, starts_at=starts_at, trigger={**MONTHLY, "spread": "evenly"})

    assert are_those(await foreseen(office, draft), await once_launched(office, draft))
