"""How far invitations came, and what became of the others."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, text

from app.db.engine import Engine
from app.db.tables import invitations
from app.domain import ids
from tests.answers import a_campaign
from tests.conftest import Tenant
from tests.people import SomeAnswer, SomeRecipient, settle

THEN = datetime(2026, 11, 1, 10, tzinfo=UTC)
STEPS = ("planned", "sent", "delivered", "page_opened", "answered", "commented")
SENT = {"state": "sent", "asked_at": THEN}
ANSWERED = {"state": "answered", "asked_at": THEN, "page_opened_at": THEN, "answered_at": THEN}


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    return await a_campaign(engine, alice.workspace_id)


async def invite(
    engine: Engine, tenant: Tenant, campaign: UUID, *rows: dict[str, Any], among: list[SomeRecipient] | None = None
) -> None:
    """Each row is somebody's invitation; what it leaves out is as it was when planned."""
    people = among or [SomeRecipient() for _ in rows]
    await settle(engine, tenant.workspace_id, people)
    async with engine.write() as tx:
        for one, row in zip(people, rows, strict=True):
            fixed = {"workspace_id": tenant.workspace_id, "campaign_id": campaign, "recipient_id": one.id}
            await tx.execute(
                insert(invitations).values(**fixed, **{"id": uuid4(), "slot": "1", "survey_version": 1, **row})
            )


async def funnel(tenant: Tenant, campaign: UUID, **asked: Any) -> dict[str, Any]:
    reply = await tenant.api.get(f"/v1/campaigns/{ids.shown('campaign', campaign)}/funnel", params=asked)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def steps(found: dict[str, Any]) -> list[int | None]:
    return [found["steps"][name] for name in STEPS]


async def test_a_strangers_campaign_is_not_found(charlie: Tenant, campaign: UUID) -> None:
    reply = await charlie.api.get(f"/v1/campaigns/{ids.shown('campaign', campaign)}/funnel")
    assert (reply.status_code, reply.json()["code"]) == (404, "campaign_not_found")


async def test_where_nobody_was_invited_there_is_no_rate(alice: Tenant, campaign: UUID) -> None:
    found = await funnel(alice, campaign)
    assert steps(found) == [0, 0, 0, 0, 0, 0]
    assert (found["steps"]["response_rate"], found["groups"]) == (None, None)


async def test_each_step_counts_who_came_so_far(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    delivered = {**SENT, "delivered_at": THEN}
    answered = {**ANSWERED, "delivered_at": THEN}
    await invite(
        engine, alice, campaign,
        {}, SENT, delivered, {**delivered, "page_opened_at": THEN}, answered, {**answered, "commented_at": THEN},
    )  # fmt: skip
    assert steps(await funnel(alice, campaign)) == [6, 5, 4, 3, 2, 1]


async def test_the_others_are_counted_beside(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await invite(
        engine, alice, campaign,
        {}, {"state": "sending", "asked_at": THEN}, {"state": "unknown", "asked_at": THEN}, {"state": "failed"},
        {"state": "failed", "bounced_at": THEN}, {**SENT, "complained_at": THEN}, {**SENT, "unsubscribed_at": THEN},
        {**SENT, "reminder_count": 2}, {**SENT, "state": "expired"}, {"state": "released"},
        {"state": "skipped", "skip_reason": "quarantine"}, {"state": "skipped", "skip_reason": "quarantine"},
        {"state": "skipped", "skip_reason": "too_late"},
    )  # fmt: skip
    found = (await funnel(alice, campaign))["steps"]
    assert (found["planned"], found["sent"]) == (13, 4)
    assert {name: found[name] for name in ("waiting", "unknown", "failed", "bounced", "complained")} == {
        "waiting": 2, "unknown": 1, "failed": 2, "bounced": 1, "complained": 1,
    }  # fmt: skip
    assert {name: found[name] for name in ("unsubscribed", "reminded", "expired", "released")} == {
        "unsubscribed": 1, "reminded": 1, "expired": 1, "released": 1,
    }  # fmt: skip
    assert found["skipped"] == {"quarantine": 2, "too_late": 1}


async def test_the_rate_comes_with_its_interval(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await invite(engine, alice, campaign, *[ANSWERED] * 3, *[SENT] * 7, {}, {})
    rate = (await funnel(alice, campaign))["steps"]["response_rate"]
    # Wilson's interval for 3 of 10, as published calculators have it
    assert rate == {"value": 30.0, "low": 10.78, "high": 60.32, "level": 0.95, "method": "wilson"}


async def test_who_answered_unasked_is_no_part_of_the_rate(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    unasked = {"state": "answered", "answered_at": THEN}
    await invite(engine, alice, campaign, ANSWERED, SENT, unasked, unasked)
    found = (await funnel(alice, campaign))["steps"]
    assert (found["answered"], found["response_rate"]["value"]) == (3, 50.0)


async def test_deliveries_nobody_tells_of_are_not_zero(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await invite(engine, alice, campaign, SENT, SENT)
    assert (await funnel(alice, campaign))["steps"]["delivered"] is None
    await invite(engine, alice, campaign, {**SENT, "delivered_at": THEN, "variant": "b"})
    found = await funnel(alice, campaign, group_by="variant")
    assert [found["steps"]["delivered"], *(group["steps"]["delivered"] for group in found["groups"])] == [1, 1, 0]


async def test_a_deleted_answer_is_none(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    people = [SomeRecipient(answers=(SomeAnswer(campaign, 9, THEN),)) for _ in range(2)]
    commented = {**ANSWERED, "page_opened_at": None, "commented_at": THEN}
    await invite(
        engine, alice, campaign, *({**commented, "response_id": one.answers[0].id} for one in people), among=people
    )
    deleted = await alice.api.delete(f"/v1/responses/{ids.shown('response', people[0].answers[0].id)}")
    assert deleted.status_code == 204
    found = await funnel(alice, campaign)
    assert steps(found)[3:] == [1, 1, 1]
    assert found["steps"]["response_rate"]["value"] == 50.0


async def test_scanners_are_counted_apart(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    scanned, person = (
        SomeRecipient(answers=(SomeAnswer(campaign, 0, THEN, is_excluded=excluded),)) for excluded in (True, False)
    )
    rows = [{**ANSWERED, "response_id": one.answers[0].id} for one in (scanned, person)]
    flagged = {"page_opened_at": None, "flagged_at": THEN, "flag_reason": "scanner", "scanner_hits": 12}
    await invite(engine, alice, campaign, {**rows[0], **flagged}, rows[1], among=[scanned, person])
    found = (await funnel(alice, campaign))["steps"]
    assert [found[name] for name in ("sent", "page_opened", "answered", "flagged", "scanner_hits")] == [2, 1, 1, 1, 12]
    assert found["response_rate"]["value"] == 50.0


@pytest.mark.parametrize(
    ("group_by", "column", "values", "keys"),
    [
        ("wave", "wave", [10, 2, 2, 0], ["0", "2", "10"]),
        ("channel", "channel", ["link", "email", "email", "email"], ["email", "link"]),
        ("variant", "variant", ["b", "a", None, "a"], ["a", "b", None]),
    ],
)
async def test_groups_add_up(
    alice: Tenant, engine: Engine, campaign: UUID, group_by: str, column: str, values: list[Any], keys: list[Any]
) -> None:
    kinds = [SENT, ANSWERED, {"state": "skipped", "skip_reason": "quarantine"}, {**SENT, "scanner_hits": 3}]
    await invite(engine, alice, campaign, *({**kind, column: value} for kind, value in zip(kinds, values, strict=True)))
    found = await funnel(alice, campaign, group_by=group_by)
    assert [group["key"] for group in found["groups"]] == keys
    for name in (*STEPS, "scanner_hits", "waiting"):
        parts = [group["steps"][name] for group in found["groups"]]
        assert sum(part or 0 for part in parts) == (found["steps"][name] or 0)
    assert [group["steps"]["skipped"] for group in found["groups"]].count({"quarantine": 1}) == 1


async def test_groups_by_a_tracked_property_of_recipients(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    people = [SomeRecipient(properties={"seats": seats}) for seats in (5, 50, 500)]
    await invite(engine, alice, campaign, SENT, ANSWERED, ANSWERED, among=people)
    path = f"/v1/campaigns/{ids.shown('campaign', campaign)}/funnel"
    refused = await alice.api.get(path, params={"group_by": "property:seats"})
    assert (refused.status_code, refused.json()["code"]) == (422, "property_not_tracked")
    async with engine.write() as tx:
        track = text(
            "INSERT INTO tracked_properties (workspace_id, key, source, kind, buckets, value_limit, state)"
            " VALUES (:id, 'seats', 'recipient', 'number', '[10]', 100, 'tracked')"
        )
        await tx.execute(track, {"id": alice.workspace_id})
    found = await funnel(alice, campaign, group_by="property:seats")
    assert {group["key"]: group["steps"]["answered"] for group in found["groups"]} == {"<10": 0, "≥10": 2}


@pytest.mark.parametrize("group_by", ["day", "property", "property:", "property:Plan", "wave:1", ""])
async def test_other_groups_are_refused(alice: Tenant, campaign: UUID, group_by: str) -> None:
    path = f"/v1/campaigns/{ids.shown('campaign', campaign)}/funnel"
    assert (await alice.api.get(path, params={"group_by": group_by})).status_code == 422


async def test_other_campaigns_are_left_out(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await invite(engine, alice, await a_campaign(engine, alice.workspace_id), SENT)
    await invite(engine, alice, campaign, {**SENT, "asked_at": THEN - timedelta(days=1)})
    assert (await funnel(alice, campaign))["steps"]["planned"] == 1


async def test_each_question_says_who_reached_it_and_who_left(alice: Tenant, engine: Engine) -> None:
    survey = {
        "default_language": "en", "languages": ["en"], "question": {"en": "How likely?"},
        "questions": [
            {"id": "why", "kind": "text", "text": {"en": "Why?"}},
            {"id": "topic", "kind": "one_of", "text": {"en": "What about?"}, "options": [
                {"id": "price", "text": {"en": "Price"}}, {"id": "speed", "text": {"en": "Speed"}},
            ]},
        ],
    }  # fmt: skip
    made = await alice.api.post("/v1/campaigns", json={"name": "Why", "kind": "transactional", "survey": survey})
    assert made.status_code == 201, made.text
    campaign = ids.parsed("campaign", made.json()["id"])
    assert campaign is not None
    said = [{"why": "Slow", "topic": "speed"}, {"why": "Dear"}, {"topic": "price"}, {}]
    people = [SomeRecipient(answers=(SomeAnswer(campaign, 5, THEN, answers=one),)) for one in said]
    rows = [{**ANSWERED, "response_id": one.answers[0].id, "variant": "ab"[n % 2]} for n, one in enumerate(people)]
    await invite(engine, alice, campaign, *rows, among=people)
    found = await funnel(alice, campaign, group_by="variant")
    assert found["steps"]["questions"] == [
        {"id": "why", "reached": 4, "answered": 2, "passed_over": 1, "left": 1},
        {"id": "topic", "reached": 3, "answered": 2, "passed_over": 0, "left": 1},
    ]
    assert [group["steps"]["questions"][0]["answered"] for group in found["groups"]] == [1, 1]
