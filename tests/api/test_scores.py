from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.db.engine import Engine
from app.domain import ids
from tests.answers import Answer, a_campaign, count_in
from tests.conftest import Tenant, client

MAY = datetime(2026, 5, 4, 10, tzinfo=UTC)


async def score(tenant: Tenant, **query: Any) -> dict[str, Any]:
    reply = await tenant.api.get("/v1/scores", params={name.rstrip("_"): value for name, value in query.items()})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def refusal(tenant: Tenant, **query: Any) -> tuple[int, str]:
    reply = await tenant.api.get("/v1/scores", params={name.rstrip("_"): value for name, value in query.items()})
    return reply.status_code, reply.json()["code"]


def camp(campaign_id: UUID) -> str:
    return ids.shown("campaign", campaign_id)


@pytest.fixture
async def campaign(alice: Tenant, engine: Engine) -> UUID:
    return await a_campaign(engine, alice.workspace_id)


async def test_nobody_reads_a_score_without_a_key(app: FastAPI) -> None:
    async with client(app) as stranger:
        assert (await stranger.get("/v1/scores")).status_code == 401


async def test_a_strangers_campaign_is_not_found(charlie: Tenant, campaign: UUID) -> None:
    assert await refusal(charlie, campaign_id=camp(campaign)) == (404, "campaign_not_found")


async def test_a_stranger_counts_none_of_our_answers(
    alice: Tenant, charlie: Tenant, engine: Engine, campaign: UUID
) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(10)])
    for query in ({}, {"group_by": "campaign"}, {"from_": "2026-05-04T09:00:00Z", "until": "2026-05-04T11:00:00Z"}):
        found = await score(charlie, **query)
        assert found["score"]["n"] == 0
        assert not found["groups"]


async def test_an_unknown_campaign_beside_a_known_one_is_not_found(alice: Tenant, campaign: UUID) -> None:
    assert await refusal(alice, campaign_id=[camp(campaign), camp(uuid4())]) == (404, "campaign_not_found")


async def test_no_answers_are_not_a_score_of_zero(alice: Tenant, campaign: UUID) -> None:
    found = await score(alice, campaign_id=camp(campaign), compare="2026-01-01..2026-02-01")
    assert found["score"]["value"] is None
    assert found["score"]["n"] == 0
    assert found["score"]["margin_of_error"] is None
    assert found["score"]["interval"] is None
    assert found["comparison"]["change"]["points"] is None
    assert found["comparison"]["change"]["verdict"] == "too_few"


async def test_a_score_comes_with_all_it_rests_on(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(
        engine, alice.workspace_id, campaign, [Answer(10), Answer(9), Answer(7), Answer(0), Answer(0), Answer(8)]
    )
    found = (await score(alice, campaign_id=camp(campaign)))["score"]
    assert found["value"] == 0.0
    assert found["n"] == 6
    assert found["counts"] == {"promoter": 2, "passive": 2, "detractor": 2}
    assert found["percentages"] == {"promoter": 33.4, "passive": 33.3, "detractor": 33.3}
    assert found["distribution"] == {**{str(raw): 0 for raw in range(11)}, "0": 2, "7": 1, "8": 1, "9": 1, "10": 1}
    assert found["interval"]["low"] < 0 < found["interval"]["high"]
    assert found["interval"]["level"] == 0.95
    assert found["margin_of_error"] == 51.07  # 1.96 · √(5.5/9 ÷ 9), three answers added


async def test_an_excluded_answer_does_not_count(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(10), Answer(0, excluded=True)])
    whole_days = await score(alice, from_="2026-05-04", until="2026-05-05")
    by_the_hour = await score(alice, from_="2026-05-04T09:59:00Z", until="2026-05-04T10:01:00Z")
    assert whole_days["score"]["n"] == by_the_hour["score"]["n"] == 1


async def test_more_confidence_needs_a_wider_interval(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(raw) for raw in range(11)])
    margins = [(await score(alice, level=level))["score"]["margin_of_error"] for level in ("0.9", "0.95", "0.99")]
    assert margins == sorted(set(margins))


async def test_the_reply_repeats_the_zone_and_both_bounds(alice: Tenant) -> None:
    found = await score(alice, from_="2026-03-29", until="2026-03-30")
    assert found["period"] == {
        "time_zone": "Europe/Berlin",
        "from_on": "2026-03-29",
        "until_on": "2026-03-30",
        "from_at": "2026-03-28T23:00:00Z",
        "until_at": "2026-03-29T22:00:00Z",  # a day of 23 hours
    }


async def test_an_instant_belongs_to_a_day_and_the_end_to_the_next(alice: Tenant) -> None:
    found = await score(alice, from_="2026-05-04T10:30:00+02:00", until="2026-05-04T10:31:00+02:00")
    assert found["period"]["from_on"] == "2026-05-04"
    assert found["period"]["until_on"] == "2026-05-05"
    assert found["period"]["from_at"] == "2026-05-04T08:30:00Z"


async def test_days_end_at_the_workspaces_midnight(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    before, after = MAY.replace(hour=21, minute=59), MAY.replace(hour=22)  # midnight in Berlin
    await count_in(engine, alice.workspace_id, campaign, [Answer(0, before), Answer(10, after)])
    assert (await score(alice, until="2026-05-05"))["score"]["value"] == -100.0
    assert (await score(alice, from_="2026-05-05"))["score"]["value"] == 100.0
    assert (await score(alice, from_="2026-05-04T22:00:00Z"))["score"]["value"] == 100.0


async def test_filters_narrow_what_is_counted(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(
        engine, alice.workspace_id, campaign,
        [Answer(10), Answer(9, channel="web"), Answer(8, channel="sms"), Answer(7, survey_version=2)],
    )  # fmt: skip
    assert (await score(alice, channel="web"))["score"]["distribution"]["9"] == 1
    assert (await score(alice, channel=["web", "sms"]))["score"]["n"] == 2
    assert (await score(alice, survey_version=2))["score"]["n"] == 1


async def test_groups_in_time_include_those_without_answers(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(10, MAY), Answer(9, MAY + timedelta(days=62))])
    groups = (await score(alice, group_by="month", from_="2026-05-02", until="2026-08-01"))["groups"]
    assert [(group["key"], group["score"]["n"], group["score"]["value"]) for group in groups] == [
        ("2026-05-01", 1, 100.0),
        ("2026-06-01", 0, None),
        ("2026-07-01", 1, 100.0),
    ]
    assert groups[0]["bucket"] == {"from_on": "2026-05-02", "until_on": "2026-06-01", "is_whole": False}
    assert groups[1]["bucket"]["is_whole"]


async def test_without_an_end_groups_in_time_go_on_until_today(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(10, datetime.now(UTC) - timedelta(days=20))])
    groups = (await score(alice, group_by="day"))["groups"]
    assert len(groups) in {20, 21, 22}  # Berlin's today, and the day it was twenty days ago
    assert [group["score"]["n"] for group in groups] == [1] + [0] * (len(groups) - 1)


async def test_answers_are_counted_apart_by_channel_version_and_campaign(
    alice: Tenant, engine: Engine, campaign: UUID
) -> None:
    other = await a_campaign(engine, alice.workspace_id)
    await count_in(
        engine, alice.workspace_id, campaign, [Answer(10), Answer(0, channel="web"), Answer(9, survey_version=2)]
    )
    await count_in(engine, alice.workspace_id, other, [Answer(0)])
    assert await _values(alice, "channel") == {"email": 33.33, "web": -100.0}
    assert await _values(alice, "survey_version") == {"1": -33.33, "2": 100.0}
    assert await _values(alice, "campaign") == {camp(campaign): 33.33, camp(other): -100.0}


async def _values(tenant: Tenant, group_by: str) -> dict[str, float]:
    return {group["key"]: group["score"]["value"] for group in (await score(tenant, group_by=group_by))["groups"]}


async def test_one_metric_at_a_time(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    stars = await a_campaign(engine, alice.workspace_id, metric="stars")
    await count_in(engine, alice.workspace_id, campaign, [Answer(10)])
    await count_in(engine, alice.workspace_id, stars, [Answer(4), Answer(5)])
    assert await refusal(alice, campaign_id=[camp(campaign), camp(stars)]) == (422, "metrics_mixed")
    assert await refusal(alice, campaign_id=camp(stars), metric="nps") == (422, "metrics_mixed")
    assert (await score(alice))["score"]["n"] == 1
    found = await score(alice, metric="stars")
    assert found["score"]["value"] == 4.5
    assert found["score"]["distribution"] == {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1}
    assert found == {**await score(alice, campaign_id=camp(stars)), "campaign_ids": None}


@pytest.mark.parametrize(
    ("compare", "from_on", "until_on"),
    [
        ("previous_period", "2026-04-01", "2026-05-01"),
        ("year_ago", "2025-05-01", "2025-05-31"),
        ("2026-01-01..2026-02-01", "2026-01-01", "2026-02-01"),
    ],
)
async def test_a_score_is_compared_with_another_period(
    alice: Tenant, engine: Engine, campaign: UUID, compare: str, from_on: str, until_on: str
) -> None:
    earlier = datetime.fromisoformat(from_on).replace(tzinfo=UTC, hour=12)
    answers = [Answer(0, earlier), Answer(7, earlier)] * 15 + [Answer(10, MAY), Answer(7, MAY)] * 15
    await count_in(engine, alice.workspace_id, campaign, answers)
    found = (await score(alice, from_="2026-05-01", until="2026-05-31", compare=compare))["comparison"]
    assert (found["period"]["from_on"], found["period"]["until_on"]) == (from_on, until_on)
    assert (found["score"]["value"], found["score"]["n"]) == (-50.0, 30)
    assert found["change"]["points"] == 100.0
    assert found["change"]["verdict"] == "up"
    assert found["change"]["is_significant"] is True
    assert found["change"]["p_value"] == 0.0
    assert found["change"]["interval"]["low"] > 0


async def test_instants_are_compared_with_as_long_a_time_before(alice: Tenant, engine: Engine, campaign: UUID) -> None:
    await count_in(engine, alice.workspace_id, campaign, [Answer(10, MAY), Answer(0, MAY - timedelta(minutes=30))])
    query = {"from_": "2026-05-04T10:00:00Z", "until": "2026-05-04T11:00:00Z"}
    previous = (await score(alice, **query, compare="previous_period"))["comparison"]
    assert previous["period"]["from_at"] == "2026-05-04T09:00:00Z"
    assert previous["score"]["n"] == 1
    year_ago = (await score(alice, **query, compare="year_ago"))["comparison"]
    assert year_ago["period"]["from_at"] == "2025-05-04T10:00:00Z"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from_": "2026-05-04", "until": "2026-05-04"}, "period_empty"),
        ({"from_": "2026-05-04T10:00:00Z", "until": "2026-05-04"}, "period_empty"),
        ({"from_": "1899-12-31"}, "period_out_of_range"),
        ({"compare": "previous_period"}, "comparison_needs_period"),
        ({"from_": "2026-05-04", "compare": "year_ago"}, "comparison_needs_period"),
        ({"from_": "2020-01-01", "group_by": "day"}, "too_many_buckets"),
        ({"segment": "plan:pro"}, "property_not_tracked"),
        ({"group_by": "property:plan"}, "property_not_tracked"),
        ({"segment": "plan:pro", "group_by": "property:country"}, "segments_not_combined"),
        ({"from_": "May"}, "validation_failed"),
        ({"from_": "2026-02-30"}, "validation_failed"),
        ({"from_": "2026-05-04T10:00:00"}, "validation_failed"),
        ({"level": "0.5"}, "validation_failed"),
        ({"level": "nan"}, "validation_failed"),
        ({"metric": "happiness"}, "validation_failed"),
        ({"channel": "pigeon"}, "validation_failed"),
        ({"survey_version": "0"}, "validation_failed"),
        ({"survey_version": "9" * 30}, "validation_failed"),
        ({"segment": "plan"}, "validation_failed"),
        ({"segment": "plan:a\0b"}, "validation_failed"),
        ({"group_by": "property"}, "validation_failed"),
        ({"group_by": "property:Plan"}, "validation_failed"),
        ({"group_by": "score"}, "validation_failed"),
        ({"compare": "last_week"}, "validation_failed"),
        ({"compare": "2026-01-01.."}, "validation_failed"),
        ({"campaign_id": "camp_1"}, "validation_failed"),
        ({"colour": "red"}, "validation_failed"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(alice: Tenant, query: dict[str, str], code: str) -> None:
    assert await refusal(alice, **query) == (422, code)


async def test_a_score_is_read_in_two_statements_and_never_from_the_answers(
    alice: Tenant, engine: Engine, app: FastAPI, campaign: UUID
) -> None:
    """One for what was asked (zone, metrics), one for the counts."""
    said = await _statements(app, alice, from_="2026-05-01", until="2026-06-01", group_by="week")
    assert len(said) == 2
    assert not any("FROM responses" in statement for statement in said)


async def _statements(app: FastAPI, tenant: Tenant, **query: str) -> Sequence[str]:
    said: list[str] = []
    raw = app.state.services.engine.raw.sync_engine

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    await score(tenant, **query)  # the first one also looks up the key
    event.listen(raw, "before_cursor_execute", listen)
    try:
        await score(tenant, **query)
    finally:
        event.remove(raw, "before_cursor_execute", listen)
    return said
