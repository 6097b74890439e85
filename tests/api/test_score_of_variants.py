"""Which of two questions, or of several arms of an experiment, has the better score: and is that real?"""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from tests.answers import Answer, a_campaign, count_in
from tests.conftest import Tenant

CONTROL = [10] * 40 + [8] * 30 + [2] * 30  # an NPS of 10
BETTER = [10] * 60 + [8] * 25 + [2] * 15  # 45

TRACK = text(
    "INSERT INTO tracked_properties (workspace_id, key, source, kind, value_limit, state)"
    " VALUES (:workspace_id, 'checkout', 'response', 'text', 3, 'tracked')"
)


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    return await a_campaign(engine, alice.workspace_id)


async def score(tenant: Tenant, **query: Any) -> dict[str, Any]:
    reply = await tenant.api.get("/v1/scores", params=query)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def changes(found: dict[str, Any]) -> dict[str | None, Any]:
    return {group["key"]: group["change"] and group["change"]["verdict"] for group in found["groups"]}


async def test_variants_have_scores_and_are_compared_with_the_first(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    answers = [Answer(score, variant="b") for score in BETTER] + [Answer(score, variant="a") for score in CONTROL]
    await count_in(engine, alice.workspace_id, campaign, [*answers, Answer(3)])
    found = await score(alice, group_by="variant")
    assert found["baseline"] == "a"
    assert [(group["key"], group["score"]["n"], group["score"]["value"]) for group in found["groups"]] == [
        ("a", 100, 10.0),
        ("b", 100, 45.0),
        (None, 1, -100.0),  # was asked before there were variants
    ]
    assert changes(found) == {"a": None, "b": "up", None: None}
    change = found["groups"][1]["change"]
    assert (change["points"], change["is_significant"], change["words"]) == (35, True, "Up, and unlikely to be chance")


async def test_another_variant_may_be_what_the_others_are_compared_with(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    answers = [Answer(score, variant="b") for score in BETTER] + [Answer(score, variant="a") for score in CONTROL]
    await count_in(engine, alice.workspace_id, campaign, answers)
    assert changes(await score(alice, group_by="variant", baseline="b")) == {"a": "down", "b": None}


async def test_an_experiment_outside_is_compared_by_the_property_it_sends(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    async with engine.write() as tx:
        await tx.execute(TRACK, {"workspace_id": alice.workspace_id})
    arms = {"control": CONTROL, "one_page": BETTER, "wizard": CONTROL, "tiny": [10] * 3}
    answers = [Answer(score, properties={"checkout": arm}) for arm, scores in arms.items() for score in scores]
    await count_in(engine, alice.workspace_id, campaign, answers[:-3])
    await count_in(engine, alice.workspace_id, campaign, answers[-3:])
    found = await score(alice, group_by="property:checkout", baseline="control")
    assert changes(found) == {"control": None, "one_page": "up", "wizard": "no_real_change", "(other)": None}
    alone = await score(alice, group_by="property:checkout")
    assert alone["baseline"] is None
    assert set(changes(alone).values()) == {None}


async def test_a_baseline_without_answers_is_too_few_to_compare_with(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(score, variant="b") for score in BETTER])
    assert changes(await score(alice, group_by="variant", baseline="a")) == {"b": "too_few"}
    assert changes(await score(alice, group_by="variant")) == {"b": None}


async def test_without_answers_there_are_no_variants(alice: Tenant, campaign: UUID) -> None:
    found = await score(alice, group_by="variant")
    assert (found["groups"], found["baseline"]) == ([], None)


@pytest.mark.parametrize("group_by", [None, "month", "channel"])
async def test_a_baseline_needs_arms(alice: Tenant, group_by: str | None) -> None:
    query = {"baseline": "a"} | ({"group_by": group_by} if group_by else {})
    reply = await alice.api.get("/v1/scores", params=query)
    assert (reply.status_code, reply.json()["code"]) == (422, "baseline_needs_arms")


async def test_variants_of_one_segment_are_not_counted(alice: Tenant) -> None:
    reply = await alice.api.get("/v1/scores", params={"group_by": "variant", "segment": "plan:pro"})
    assert (reply.status_code, reply.json()["code"]) == (422, "segments_not_combined")


async def test_strangers_variants_are_not_ours(alice: Tenant, charlie: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(10, variant="a")])
    assert (await score(charlie, group_by="variant"))["groups"] == []
