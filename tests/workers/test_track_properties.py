import asyncio
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import text

from app.clock import utc_now
from app.db.engine import Engine
from app.domain.response import ResponseNotFound
from app.domain.scores.segment import PropertyKind, PropertySource, TrackedProperty
from app.operations import tracked_properties as operations
from app.operations.responses import change
from app.queries.recount import miscounted_segments, rollup_differences
from app.workers.track_properties import track_properties
from tests.answers import Answer, a_campaign, count_in, record
from tests.conftest import Tenant

PLAN = TrackedProperty("plan", PropertySource.RECIPIENT, PropertyKind.TEXT)


async def declare(engine: Engine, tenant: Tenant, declared: TrackedProperty = PLAN) -> None:
    async with engine.write() as tx:
        await operations.declare_property(tx, tenant.workspace_id, declared)


async def remove(engine: Engine, tenant: Tenant, key: str = "plan") -> None:
    async with engine.write() as tx:
        await operations.remove_property(tx, tenant.workspace_id, key)


def on(plan: str, **fields: object) -> Answer:
    return Answer(recipient_properties={"plan": plan}, **fields)  # type: ignore[arg-type]  # any field of an answer


async def state(engine: Engine, tenant: Tenant) -> str | None:
    return await _scalar(
        engine, tenant, "SELECT state FROM tracked_properties WHERE workspace_id = :id AND key = 'plan'"
    )


async def counted(engine: Engine, tenant: Tenant, plan: str) -> int:
    counters = " + ".join(f"s{score}" for score in range(11))
    query = (
        f"SELECT coalesce(sum({counters}), 0) FROM score_rollups WHERE workspace_id = :id AND property_value = '{plan}'"
    )
    return int(await _scalar(engine, tenant, query) or 0)


async def _scalar(engine: Engine, tenant: Tenant, query: str) -> str | None:
    async with engine.read() as tx:
        return (await tx.execute(text(query), {"id": tenant.workspace_id})).scalar_one_or_none()


async def check_exact(engine: Engine, tenant: Tenant) -> None:
    async with engine.read() as tx:
        assert await rollup_differences(tx, tenant.workspace_id) == []


async def check_complete(engine: Engine, tenant: Tenant) -> None:
    await check_exact(engine, tenant)
    async with engine.read() as tx:
        assert await miscounted_segments(tx, tenant.workspace_id) == []


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    return await a_campaign(engine, alice.workspace_id)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "BATCH", 7)
    monkeypatch.setattr(operations, "ROLLUPS_BATCH", 3)


async def test_nothing_of_a_strangers_is_touched(
    alice: Tenant, charlie: Tenant, engine: Engine, campaign: UUID
) -> None:
    theirs = await a_campaign(engine, charlie.workspace_id)
    await count_in(engine, charlie.workspace_id, theirs, [on("pro")])
    await declare(engine, alice)
    await track_properties(engine)
    assert await counted(engine, charlie, "pro") == 0
    await declare(engine, charlie)
    await track_properties(engine)
    await remove(engine, alice)
    await track_properties(engine)
    assert await counted(engine, charlie, "pro") == 1
    assert await state(engine, charlie) == "tracked"


async def test_older_answers_are_counted_batch_by_batch(
    alice: Tenant, engine: Engine, campaign: UUID, small_batches: None
) -> None:
    await count_in(
        engine, alice.workspace_id, campaign, [on("pro")] * 30 + [on("free", excluded=True)] + [Answer()] * 5
    )
    await declare(engine, alice)
    await track_properties(engine)
    assert await state(engine, alice) == "tracked"
    assert await counted(engine, alice, "pro") == 30
    assert await counted(engine, alice, "free") == 0
    await check_complete(engine, alice)


async def test_an_excluded_answer_is_counted_under_its_value_when_it_is_restored(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    await count_in(engine, alice.workspace_id, campaign, [on("pro", excluded=True)])
    await declare(engine, alice)
    await track_properties(engine)
    response_id = await _scalar(engine, alice, "SELECT id FROM responses WHERE workspace_id = :id")
    async with engine.write() as tx:
        await change.restore_response(
            tx, alice.workspace_id, UUID(str(response_id)), reason=None, actor="Alice", now=utc_now()
        )
    assert await counted(engine, alice, "pro") == 1
    await check_complete(engine, alice)


async def test_an_answer_whose_recording_began_before_the_declaration_is_not_forgotten(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    async with engine.write() as tx:
        await record(tx, alice.workspace_id, campaign, [on("pro")])  # sees no tracked property
        await declare(engine, alice)
        tracking = asyncio.create_task(track_properties(engine))
        await count_in(engine, alice.workspace_id, campaign, [on("free", channel="web")])  # later ones go on
        done, _ = await asyncio.wait([tracking], timeout=0.5)
        assert not done
    await tracking
    assert await state(engine, alice) == "tracked"
    assert await counted(engine, alice, "pro") == 1
    await check_complete(engine, alice)


async def test_a_removed_property_leaves_nothing_behind_and_can_be_declared_again(
    alice: Tenant, engine: Engine, campaign: UUID, small_batches: None
) -> None:
    await declare(engine, alice)
    answers = [on(f"plan {number}", excluded=number % 5 == 0) for number in range(20)]
    await count_in(engine, alice.workspace_id, campaign, answers)
    await track_properties(engine)
    await remove(engine, alice)
    await count_in(engine, alice.workspace_id, campaign, [on("pro")])
    await track_properties(engine)
    assert await state(engine, alice) is None
    for left in (
        "SELECT count(*) FROM score_rollups WHERE workspace_id = :id AND property_key <> ''",
        "SELECT count(*) FROM tracked_values WHERE workspace_id = :id",
        "SELECT count(*) FROM responses WHERE workspace_id = :id AND segments <> '{}'",
    ):
        assert int(await _scalar(engine, alice, left) or 0) == 0
    await check_complete(engine, alice)
    await declare(engine, alice)
    await track_properties(engine)
    assert await counted(engine, alice, "pro") == 1
    await check_complete(engine, alice)


async def test_removing_may_overtake_declaring(
    alice: Tenant, engine: Engine, campaign: UUID, small_batches: None
) -> None:
    await count_in(engine, alice.workspace_id, campaign, [on("pro")] * 20)
    await declare(engine, alice)
    async with engine.write() as tx:
        await operations.begin_scan(tx, alice.workspace_id, "plan")
    async with engine.write() as tx:
        assert await operations.scan_some(tx, alice.workspace_id, "plan")
    await remove(engine, alice)
    await track_properties(engine)
    assert await state(engine, alice) is None
    await check_complete(engine, alice)


async def test_counts_stay_exact_while_answers_come_change_and_go(
    alice: Tenant, engine: Engine, campaign: UUID, small_batches: None
) -> None:
    await count_in(engine, alice.workspace_id, campaign, [on("pro") for _ in range(60)])
    stop = asyncio.Event()
    restless = [asyncio.create_task(_keep_changing(engine, alice, campaign, Random(seed), stop)) for seed in range(3)]
    for _ in range(2):
        await declare(engine, alice)
        await asyncio.gather(*(track_properties(engine) for _ in range(2)))  # two workers at once
        await check_exact(engine, alice)
        assert await _ends(engine, alice, "tracked")
        await remove(engine, alice)
        await asyncio.gather(*(track_properties(engine) for _ in range(2)))
        await check_exact(engine, alice)
        assert await _ends(engine, alice, None)
    await declare(engine, alice)
    await track_properties(engine)
    stop.set()
    await asyncio.gather(*restless)
    await check_complete(engine, alice)


async def _ends(engine: Engine, tenant: Tenant, wanted: str | None) -> bool:
    """One worker leaves to the other what that has locked, and may be done first."""
    for _ in range(20):
        await track_properties(engine)
        if await state(engine, tenant) == wanted:
            return True
    return False


async def _keep_changing(engine: Engine, tenant: Tenant, campaign: UUID, random: Random, stop: asyncio.Event) -> None:
    workspace_id = tenant.workspace_id
    while not stop.is_set():
        await count_in(engine, workspace_id, campaign, [on(random.choice(["pro", "free", "team"]))])
        query = "SELECT id FROM responses WHERE workspace_id = :id ORDER BY random() LIMIT 1"
        response_id = UUID(str(await _scalar(engine, tenant, query)))
        try:
            async with engine.write() as tx:
                await _change(tx, workspace_id, response_id, random)
        except (ResponseNotFound, change.ExclusionRefused):
            continue


async def _change(tx: operations.Tx, workspace_id: UUID, response_id: UUID, random: Random) -> None:
    said = {"actor": "Alice", "reason": "because", "now": utc_now()}
    match random.randrange(4):
        case 0 | 1:
            score = {"score": random.randrange(11)}
            await change.amend_response(tx, workspace_id, response_id, changes=score, **said)
        case 2:
            act = random.choice([change.exclude_response, change.restore_response])
            await act(tx, workspace_id, response_id, **said)
        case 3:
            await change.delete_response(tx, workspace_id, response_id, now=utc_now())
