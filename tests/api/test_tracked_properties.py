from typing import Any

import pytest

from app.db.engine import Engine
from app.domain.scores.tracking import MOST_TRACKED
from app.workers.track_properties import track_properties
from tests.answers import Answer, a_campaign, count_in
from tests.conftest import Tenant

PLAN = {"key": "plan", "source": "recipient", "kind": "text"}


async def declare(tenant: Tenant, **fields: Any) -> tuple[int, dict[str, Any]]:
    reply = await tenant.api.post("/v1/tracked-properties", json={**PLAN, **fields})
    return reply.status_code, reply.json()


async def listed(tenant: Tenant) -> list[str]:
    return [row["key"] for row in (await tenant.api.get("/v1/tracked-properties")).json()["data"]]


async def test_a_stranger_sees_and_removes_none_of_ours(alice: Tenant, charlie: Tenant) -> None:
    await declare(alice)
    assert await listed(charlie) == []
    assert (await charlie.api.get("/v1/tracked-properties/plan")).status_code == 404
    assert (await charlie.api.delete("/v1/tracked-properties/plan")).status_code == 404
    assert await listed(alice) == ["plan"]


async def test_a_property_is_declared(alice: Tenant) -> None:
    status, shown = await declare(alice, key="amount", source="response", kind="number", buckets=[10, 20.5])
    assert status == 202
    assert shown.pop("created_at")
    assert shown == {
        "key": "amount", "source": "response", "kind": "number", "buckets": [10, 20.5], "value_limit": 100,
        "values": 0, "state": "declaring",
    }  # fmt: skip
    assert (await alice.api.get("/v1/tracked-properties/amount")).json()["buckets"] == [10, 20.5]


async def test_the_same_declaration_again_changes_nothing(alice: Tenant) -> None:
    assert await declare(alice) == await declare(alice)


async def test_another_declaration_of_the_same_key_is_a_conflict(alice: Tenant) -> None:
    await declare(alice)
    status, refusal = await declare(alice, value_limit=5)
    assert (status, refusal["code"]) == (409, "already_tracked")


async def test_only_so_many_properties_are_tracked(alice: Tenant) -> None:
    for number in range(MOST_TRACKED):
        assert (await declare(alice, key=f"key_{number}"))[0] == 202
    status, refusal = await declare(alice)
    assert (status, refusal["code"]) == (409, "too_many_tracked")


async def test_a_removed_property_is_no_longer_asked_for_or_declared_until_it_is_gone(alice: Tenant) -> None:
    await declare(alice)
    reply = await alice.api.delete("/v1/tracked-properties/plan")
    assert (reply.status_code, reply.json()["state"]) == (202, "removing")
    assert (await declare(alice))[1]["code"] == "still_being_removed"
    asked = await alice.api.get("/v1/scores", params={"group_by": "property:plan"})
    assert asked.json()["code"] == "property_not_tracked"


async def test_scores_wait_until_older_answers_are_counted(alice: Tenant) -> None:
    await declare(alice)
    for query in ({"group_by": "property:plan"}, {"segment": "plan:pro"}):
        reply = await alice.api.get("/v1/scores", params=query)
        assert (reply.status_code, reply.json()["code"]) == (409, "property_not_ready")


async def test_a_property_that_is_not_tracked_is_not_found(alice: Tenant) -> None:
    assert (await alice.api.delete("/v1/tracked-properties/plan")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"key": "Plan"}, "validation_failed"),
        ({"key": "a" * 41}, "validation_failed"),
        ({"source": "account"}, "validation_failed"),
        ({"kind": "colour"}, "validation_failed"),
        ({"value_limit": 0}, "validation_failed"),
        ({"value_limit": 1001}, "validation_failed"),
        ({"kind": "number", "buckets": []}, "validation_failed"),
        ({"kind": "number", "buckets": ["1"]}, "validation_failed"),
        ({"kind": "number", "buckets": [True]}, "validation_failed"),
        ({"kind": "number", "buckets": [10**400]}, "validation_failed"),
        ({"kind": "date", "buckets": "week"}, "validation_failed"),
        ({"kind": "number", "buckets": [2, 1]}, "tracked_property_invalid"),
        ({"kind": "text", "buckets": [1]}, "tracked_property_invalid"),
        ({"kind": "number", "buckets": "month"}, "tracked_property_invalid"),
        ({"colour": "red"}, "validation_failed"),
    ],
)
async def test_a_bad_declaration_is_refused(alice: Tenant, fields: dict[str, Any], code: str) -> None:
    status, refusal = await declare(alice, **fields)
    assert (status, refusal["code"]) == (422, code)
    assert await listed(alice) == []


async def test_values_are_grouped_in_the_order_of_their_buckets_with_the_rest_last(
    alice: Tenant, engine: Engine
) -> None:
    await declare(alice, key="amount", source="response", kind="number", buckets=[10, 20])
    campaign = await a_campaign(engine, alice.workspace_id)
    amounts = [25, 25, 25, 10, 12, 3, "none", None]
    await count_in(engine, alice.workspace_id, campaign, [Answer(properties={"amount": amount}) for amount in amounts])
    await track_properties(engine)
    groups = (await alice.api.get("/v1/scores", params={"group_by": "property:amount"})).json()["groups"]
    assert [(group["key"], group["score"]["n"]) for group in groups] == [
        ("<10", 1), ("10–<20", 2), ("≥20", 3), (None, 2),
    ]  # fmt: skip
    one = (await alice.api.get("/v1/scores", params={"segment": "amount:≥20"})).json()
    assert one["score"]["n"] == 3


async def test_values_beyond_the_limit_count_together(alice: Tenant, engine: Engine) -> None:
    await declare(alice, value_limit=2)
    campaign = await a_campaign(engine, alice.workspace_id)
    for plans in (["pro"], ["free"], ["pro", "team", "gold"]):
        answers = [Answer(recipient_properties={"plan": plan}) for plan in plans]
        await count_in(engine, alice.workspace_id, campaign, answers)
    await track_properties(engine)
    groups = (await alice.api.get("/v1/scores", params={"group_by": "property:plan"})).json()["groups"]
    assert [(group["key"], group["score"]["n"]) for group in groups] == [("pro", 2), ("free", 1), ("(other)", 2)]
    assert (await alice.api.get("/v1/tracked-properties/plan")).json()["values"] == 2
