"""Of an anonymous campaign, groups of fewer than five answers are withheld."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.db.engine import Engine
from app.db.tables import campaigns
from app.domain import ids
from tests.answers import Answer, a_campaign, count_in
from tests.conftest import Tenant

APRIL, MAY = datetime(2026, 4, 7, 10, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)
IN_MAY = {"from": "2026-05-01", "until": "2026-06-01"}
NUMBERS = ("value", "n", "margin_of_error", "interval", "counts", "percentages", "distribution")
WITHHELD = {**dict.fromkeys(NUMBERS), "withheld": "minimum_group"}


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    return await anonymous(engine, alice)


async def anonymous(engine: Engine, tenant: Tenant) -> UUID:
    campaign = await a_campaign(engine, tenant.workspace_id)
    async with engine.write() as tx:
        await tx.execute(update(campaigns).where(campaigns.c.id == campaign).values(is_anonymous=True))
    return campaign


async def score(tenant: Tenant, **query: Any) -> dict[str, Any]:
    reply = await tenant.api.get("/v1/scores", params=query)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def told(found: dict[str, Any]) -> dict[str, int | None]:
    return {group["key"]: group["score"]["n"] for group in found["groups"]}


def through(channels: Sequence[tuple[str, int]]) -> list[Answer]:
    return [Answer(channel=channel) for channel, n in channels for _ in range(n)]


async def test_a_whole_campaign_is_told_however_few_answered(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(9)])
    found = await score(alice, group_by="campaign")
    assert (found["score"]["n"], found["score"]["withheld"]) == (1, None)
    assert told(found) == {ids.shown("campaign", campaign): 1}


@pytest.mark.parametrize("narrowed", [IN_MAY, {"channel": "email"}, {"survey_version": 1}, {"from": "2026-05-04"}])
async def test_fewer_than_five_answers_of_a_part_are_withheld(
    alice: Tenant, engine: Engine, campaign: UUID, narrowed: dict[str, Any]
) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer()] * 4)
    found = await score(alice, campaign_id=ids.shown("campaign", campaign), **narrowed)
    assert found["score"] == WITHHELD
    await count_in(engine, alice.workspace_id, campaign, [Answer()])
    assert (await score(alice, **narrowed))["score"]["n"] == 5


async def test_what_a_filter_fits_is_a_part(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(properties={"plan": "pro"})] * 4 + [Answer()] * 6)
    asked = {"filter": {"field": "response.properties.plan", "eq": "pro"}}
    assert (await alice.api.post("/v1/scores/query", json=asked)).json()["score"] == WITHHELD


async def test_small_groups_are_withheld_with_what_would_tell_of_them(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    await count_in(engine, alice.workspace_id, campaign, through([("email", 9), ("web", 6), ("sms", 2)]))
    found = await score(alice, group_by="channel")
    assert told(found) == {"email": 9, "sms": None, "web": None}
    assert found["groups"][1]["score"] == WITHHELD


async def test_days_and_versions_and_variants_are_groups(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    few = [Answer(answered_at=APRIL, survey_version=2, variant="b")] * 2
    await count_in(engine, alice.workspace_id, campaign, [*few, *[Answer(answered_at=MAY, variant="a")] * 8])
    assert set(told(await score(alice, group_by="survey_version")).values()) == {None}
    months = told(await score(alice, group_by="month", until="2026-06-01"))
    assert months == {"2026-04-01": None, "2026-05-01": None}
    found = await score(alice, group_by="variant")
    assert set(told(found).values()) == {None}
    assert [group["change"] for group in found["groups"]] == [None, None]


async def test_another_period_is_a_part_too(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    few, enough = [Answer(answered_at=APRIL)] * 4, [Answer(answered_at=MAY)] * 5
    await count_in(engine, alice.workspace_id, campaign, [*few, *enough])
    found = await score(alice, **IN_MAY, compare="2026-04-01..2026-05-01")
    assert (found["score"]["n"], found["comparison"]["score"], found["comparison"]["change"]) == (5, WITHHELD, None)
    turned = await score(alice, **{"from": "2026-04-01", "until": "2026-05-01"}, compare="2026-05-01..2026-06-01")
    assert (turned["score"], turned["comparison"]["score"]["n"]) == (WITHHELD, 5)
    assert turned["comparison"]["change"] is None


async def test_named_answers_do_not_hide_anonymous_ones(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    named = await a_campaign(engine, alice.workspace_id)
    await count_in(engine, alice.workspace_id, named, [Answer()] * 20)
    assert (await score(alice, channel="email"))["score"]["n"] == 20
    await count_in(engine, alice.workspace_id, campaign, [Answer()] * 2)
    assert (await score(alice, channel="email"))["score"] == WITHHELD
    assert (await score(alice, channel="email", campaign_id=ids.shown("campaign", named)))["score"]["n"] == 20


async def test_of_other_campaigns_nothing_is_withheld(alice: Tenant, engine: Engine) -> None:
    named = await a_campaign(engine, alice.workspace_id)
    await count_in(engine, alice.workspace_id, named, through([("email", 1), ("web", 2)]))
    assert told(await score(alice, group_by="channel")) == {"email": 1, "web": 2}
