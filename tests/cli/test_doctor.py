from datetime import datetime

from sqlalchemy import insert, text

from app.db.engine import Engine
from app.db.tables import score_rollups
from app.domain.ids import parsed
from app.operations.workspaces import create_workspace
from tests.builders import a_campaign
from tests.cli.command import here
from tests.conftest import SECRET_KEYS


def doctor(url: str) -> tuple[int, list[str]]:
    said = here("doctor", ZEROTEN_DATABASE_URL=url, ZEROTEN_SECRET_KEYS=SECRET_KEYS)
    return said.returncode, said.stdout.splitlines()


def test_a_healthy_installation_ends_with_exact_rollups(own_database_url: str):
    status, lines = doctor(own_database_url)
    assert status == 0, lines
    assert lines[-1] == "✓ rollups: exact"


async def test_a_difference_is_listed_and_is_a_failure(own_database_url: str, own_engine: Engine, now: datetime):
    async with own_engine.write() as tx:
        made = await create_workspace(tx, "Alice", time_zone="UTC", now=now)
    campaign_id = parsed("campaign", await a_campaign(own_engine, made.live_id))
    row = {"workspace_id": made.live_id, "campaign_id": campaign_id, "property_key": "", "property_value": ""}
    where = {"counted_on": now.date(), "channel": "email", "survey_version": 1, "wave": 0}
    async with own_engine.write() as tx:
        await tx.execute(insert(score_rollups).values(**row, **where, s9=3))
    status, lines = doctor(own_database_url)
    assert status == 1
    assert lines[-1] == "✗ rollups: 1 differ"
    assert "9 is 3, should be 0" in lines[-2]


async def test_a_copied_database_is_told_with_the_remedy(own_database_url: str, own_engine: Engine):
    assert doctor(own_database_url)[0] == 0
    async with own_engine.write() as tx:
        await tx.execute(text("INSERT INTO instance (id, fingerprint) VALUES (gen_random_uuid(), 'elsewhere')"))
    status, lines = doctor(own_database_url)
    assert status == 1
    assert any("`zeroten adopt`" in line for line in lines)


async def test_links_that_lead_nowhere_are_told(own_database_url: str, own_engine: Engine):
    said = here(
        "doctor", ZEROTEN_DATABASE_URL=own_database_url, ZEROTEN_SECRET_KEYS=SECRET_KEYS,
        ZEROTEN_SMTP_URL="smtp://mail.example.com",
    )  # fmt: skip
    assert said.returncode == 1
    assert "✗ mail: live mail is held back" in said.stdout.splitlines()
