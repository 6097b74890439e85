import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.vault import Vault
from app.domain.diagnosis import Diagnosis, Severity
from app.domain.scores.segment import PropertyKind, PropertySource, TrackedProperty
from app.operations.tracked_properties import declare_property
from app.operations.workspaces import create_workspace
from app.queries.check_rollups import check_rollups
from app.queries.doctor import examine
from app.workers.track_properties import track_properties
from tests.answers import Answer, a_campaign, count_in

VAULT = Vault([bytes(32)])


async def diagnoses(engine: Engine, *, vault: Vault = VAULT, now: datetime | None = None) -> dict[str, Diagnosis]:
    return {diagnosis.check: diagnosis for diagnosis in await examine(engine, vault, now=now or datetime.now(UTC))}


async def run(engine: Engine, statement: str, **parameters: object) -> None:
    async with engine.write() as tx:
        await tx.execute(text(statement), parameters)


@pytest.fixture
async def workspace_id(own_engine: Engine) -> UUID:
    """With two answers, one of a professional."""
    async with own_engine.write() as tx:
        made = await create_workspace(tx, "Alice", time_zone="Europe/Berlin", now=datetime.now(UTC))
        plan = TrackedProperty("plan", PropertySource.RECIPIENT, PropertyKind.TEXT)
        await declare_property(tx, made.live_id, plan)
    campaign = await a_campaign(own_engine, made.live_id)
    await count_in(own_engine, made.live_id, campaign, [Answer(9, recipient_properties={"plan": "pro"}), Answer(3)])
    await track_properties(own_engine)
    return made.live_id


async def test_a_healthy_installation_is_found_so_and_ends_with_exact_rollups(
    own_engine: Engine, workspace_id: UUID
) -> None:
    found = await examine(own_engine, VAULT, now=datetime.now(UTC))
    assert [str(diagnosis) for diagnosis in found if diagnosis.severity is not Severity.FINE] == []
    assert str(found[-1]) == "rollups: exact"
    assert str(found[0]).startswith("database: PostgreSQL ")


async def test_every_difference_is_told(own_engine: Engine, workspace_id: UUID) -> None:
    await run(own_engine, "UPDATE score_rollups SET s9 = s9 + 1 WHERE property_key = 'plan'")
    await run(own_engine, "DELETE FROM score_rollups WHERE property_key = ''")
    rollups = (await diagnoses(own_engine))["rollups"]
    assert (rollups.severity, rollups.said) == (Severity.PROBLEM, "2 differ")
    missing, extra = rollups.details
    assert missing.endswith(" 2026-05-04 email v1: 3 is 0, should be 1; 9 is 0, should be 1")
    assert extra.endswith(" 2026-05-04 email v1 plan=pro: 9 is 2, should be 1")


async def test_rollups_of_answers_that_are_gone_or_excluded_are_differences(
    own_engine: Engine, workspace_id: UUID
) -> None:
    await run(own_engine, "DELETE FROM responses WHERE score = 3")
    await run(own_engine, "UPDATE responses SET excluded_at = now() WHERE score = 9")
    rollups = (await diagnoses(own_engine))["rollups"]
    assert rollups.said == "2 differ"
    assert "3 is 1, should be 0; 9 is 1, should be 0" in rollups.details[0]


async def test_answers_that_are_not_counted_under_their_segment_are_told(
    own_engine: Engine, workspace_id: UUID
) -> None:
    await run(own_engine, "UPDATE responses SET segments = '{}'")
    segments = (await diagnoses(own_engine))["segments"]
    assert segments.severity is Severity.PROBLEM
    assert segments.details[0].endswith(" plan: 1 answers")


async def test_the_recount_is_exact_while_answers_come_in(own_engine: Engine, workspace_id: UUID) -> None:
    campaign = await a_campaign(own_engine, workspace_id)

    async def keep_recording() -> None:
        while True:
            await count_in(own_engine, workspace_id, campaign, [Answer(), Answer(3, channel="web")])

    recording = asyncio.create_task(keep_recording())
    for _ in range(10):
        rollups, *_ = (diagnosis for diagnosis in await check_rollups(own_engine) if diagnosis.check == "rollups")
        assert rollups.said == "exact"
    assert not recording.done()
    recording.cancel()


async def test_an_unreachable_database_is_a_diagnosis() -> None:
    engine = Engine("postgresql://nobody@127.0.0.1:1/nothing")
    found = await examine(engine, VAULT, now=datetime.now(UTC))
    await engine.close()
    assert [diagnosis.check for diagnosis in found] == ["database"]
    assert found[0].severity is Severity.PROBLEM


async def test_an_older_schema_ends_the_examination(own_engine: Engine) -> None:
    await run(own_engine, "DELETE FROM alembic_version")
    found = await diagnoses(own_engine)
    assert found["schema"].said == "not this version's; run `zeroten migrate`"
    assert "rollups" not in found


async def test_a_clock_that_is_off_is_told(own_engine: Engine) -> None:
    found = await diagnoses(own_engine, now=datetime.now(UTC) + timedelta(minutes=5))
    assert found["clocks"].severity is Severity.WARNING


async def test_a_time_zone_that_is_known_on_one_side_only_is_told(own_engine: Engine, workspace_id: UUID) -> None:
    await run(own_engine, "UPDATE workspaces SET time_zone = 'Mars/Olympus' WHERE id = :id", id=workspace_id)
    zones = (await diagnoses(own_engine))["time zones"]
    assert zones.severity is Severity.PROBLEM
    assert "Mars/Olympus" in zones.said


async def test_what_waits_for_long_is_told(own_engine: Engine, workspace_id: UUID) -> None:
    await run(
        own_engine,
        "INSERT INTO endpoint_work (workspace_id, endpoint_id, due_at)"
        " VALUES (:workspace_id, :id, now() - interval '3 hours')",
        workspace_id=workspace_id, id=new_id(datetime.now(UTC)),
    )  # fmt: skip
    found = await diagnoses(own_engine)
    assert str(found["deliveries"]) == "deliveries: the oldest has waited for 3 h; is a worker running?"
    assert found["events"].severity is Severity.FINE


async def test_a_secret_sealed_with_a_lost_key_is_told(own_engine: Engine, workspace_id: UUID) -> None:
    endpoint_id, secret_id = new_id(datetime.now(UTC)), new_id(datetime.now(UTC))
    sealed = VAULT.seal("whsec_x", workspace_id=workspace_id, row_id=secret_id)
    ids = {"workspace_id": workspace_id, "endpoint_id": endpoint_id}
    await run(
        own_engine,
        "INSERT INTO webhook_endpoints (workspace_id, id, url) VALUES (:workspace_id, :endpoint_id, 'https://x.example')",
        **ids,
    )
    await run(
        own_engine,
        "INSERT INTO endpoint_secrets (workspace_id, endpoint_id, id, ciphertext)"
        " VALUES (:workspace_id, :endpoint_id, :id, :sealed)",
        **ids, id=secret_id, sealed=sealed,
    )  # fmt: skip
    assert (await diagnoses(own_engine))["secrets"].severity is Severity.FINE
    lost = await diagnoses(own_engine, vault=Vault([bytes(31) + b"\x01"]))
    assert lost["secrets"].severity is Severity.PROBLEM
