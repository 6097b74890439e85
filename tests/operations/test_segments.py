import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import RowMapping, text

from app.db.engine import Engine
from app.domain.scores.segment import PropertyKind, PropertySource, TrackedProperty, label_under_cap
from app.operations.tracked_properties import declare_property, remove_property
from app.operations.workspaces import create_workspace
from app.queries.recount import rollup_differences
from tests.answers import Answer, a_campaign, count_in
from tests.conftest import Tenant

TRACKED = (
    TrackedProperty("plan", PropertySource.RECIPIENT, PropertyKind.TEXT, value_limit=3),
    TrackedProperty("amount", PropertySource.RESPONSE, PropertyKind.NUMBER, (10, 20), value_limit=2),
    TrackedProperty("since", PropertySource.RECIPIENT, PropertyKind.DATE),
)
values = st.sampled_from(["a", "b", "c", "d", "e", "", "2026-05-04", 5, 15, 25, True, None, []])
people = st.fixed_dictionaries({}, optional={"plan": values, "since": values})
answers = st.builds(
    Answer,
    properties=st.fixed_dictionaries({}, optional={"amount": values, "plan": values}),
    recipient_properties=people,
)


async def a_workspace(engine: Engine, *tracked: TrackedProperty) -> UUID:
    async with engine.write() as tx:
        made = await create_workspace(tx, "Alice", time_zone="UTC", now=datetime.now(UTC))
        for declared in tracked:
            await declare_property(tx, made.live_id, declared)
    return made.live_id


async def rows(engine: Engine, workspace_id: UUID) -> Sequence[RowMapping]:
    query = text("SELECT * FROM responses WHERE workspace_id = :id ORDER BY changed_in, id::text")
    async with engine.read() as tx:
        return (await tx.execute(query, {"id": workspace_id})).mappings().all()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(answers, max_size=8), min_size=1, max_size=4))
async def test_answers_are_segmented_in_sql_as_the_rules_say(
    engine: Engine, batches: Sequence[Sequence[Answer]]
) -> None:
    """Batch after batch; first come, first served, where a property has room for few values."""
    workspace_id = await a_workspace(engine, *TRACKED)
    campaign = await a_campaign(engine, workspace_id)
    for batch in batches:
        await count_in(engine, workspace_id, campaign, batch)
    known: dict[str, set[str]] = {declared.key: set() for declared in TRACKED}
    for row in await rows(engine, workspace_id):
        assert row["segments"] == _segments(row, known)


def _segments(row: RowMapping, known: dict[str, set[str]]) -> dict[str, str]:
    segments = {}
    for declared in TRACKED:
        source = "properties" if declared.source is PropertySource.RESPONSE else "recipient_properties"
        label = declared.label(row[source].get(declared.key))
        if label is not None:
            capped = label_under_cap(label, known=known[declared.key], value_limit=declared.value_limit)
            segments[declared.key] = capped
            known[declared.key] |= {label} if capped == label else set()
    return segments


async def test_a_strangers_properties_and_values_are_not_ours(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    async with engine.write() as tx:
        await declare_property(tx, charlie.workspace_id, TRACKED[0])
    campaign = await a_campaign(engine, alice.workspace_id)
    await count_in(engine, alice.workspace_id, campaign, [Answer(recipient_properties={"plan": "a"})])
    assert [row["segments"] for row in await rows(engine, alice.workspace_id)] == [{}]


async def test_a_property_being_removed_is_no_longer_counted(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    async with engine.write() as tx:
        await declare_property(tx, alice.workspace_id, TRACKED[0])
    async with engine.write() as tx:
        await remove_property(tx, alice.workspace_id, "plan")
    await count_in(engine, alice.workspace_id, campaign, [Answer(recipient_properties={"plan": "a"})])
    assert [row["segments"] for row in await rows(engine, alice.workspace_id)] == [{}]


async def test_whoever_meets_the_same_new_values_at_once_counts_every_answer(engine: Engine) -> None:
    workspace_id = await a_workspace(engine, TRACKED[0])
    campaign = await a_campaign(engine, workspace_id)

    def met(plans: str) -> list[Answer]:
        return [Answer(channel=plans, recipient_properties={"plan": plan}) for plan in plans]

    await asyncio.gather(
        *(count_in(engine, workspace_id, campaign, met(plans)) for plans in ("abc", "cba", "dea", "edb"))
    )
    labels: list[Any] = [row["segments"]["plan"] for row in await rows(engine, workspace_id)]
    assert len(labels) == 12
    assert set(labels) - {"(other)"} <= set("abcde")
    async with engine.read() as tx:
        assert await rollup_differences(tx, workspace_id) == []
