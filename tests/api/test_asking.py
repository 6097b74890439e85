"""Campaigns that ask by themselves: what callers write about it, and when it is refused."""

from typing import Any

import pytest

from tests.askings import FULL, an_asking
from tests.campaigns import create, move, patch, read
from tests.conftest import Tenant


async def test_a_campaign_says_whom_it_asks(alice: Tenant) -> None:
    campaign = await create(alice, asking=FULL)

    assert campaign["asking"] == FULL
    assert (await create(alice))["asking"] is None


async def test_what_is_left_out_is_shown_as_it_holds(alice: Tenant) -> None:
    campaign = await create(alice, asking=an_asking())

    assert campaign["asking"]["wave_days"] == 14
    assert campaign["asking"]["expires_after_days"] == 30


async def test_asking_is_replaced_as_a_whole_and_taken_away(alice: Tenant) -> None:
    campaign = await create(alice, asking=FULL)

    assert (await patch(alice, campaign, asking=an_asking(priority=3))).json()["asking"]["priority"] == 3
    assert (await patch(alice, campaign, name="Another")).json()["asking"]["priority"] == 3
    assert (await patch(alice, campaign, asking=None)).json()["asking"] is None


@pytest.mark.parametrize(
    ("asking", "code", "pointer"),
    [
        (an_asking(priority=101), "asking_invalid", "/asking/priority"),
        (an_asking(stop={"answers": 9, "property": "plan"}), "asking_invalid", "/asking/stop/property"),
        (an_asking(audience={"field": "no such field", "eq": 1}), "filter_invalid", "/asking/audience/field"),
        (an_asking(window={"from": "25:00"}), "validation_failed", "/asking/window/from"),
        ({"trigger": {"kind": "moon"}}, "validation_failed", "/asking/trigger"),
    ],
)
async def test_what_breaks_a_rule_is_refused(alice: Tenant, asking: dict[str, Any], code: str, pointer: str) -> None:
    reply = await alice.api.post("/v1/campaigns", json={"name": "A", "kind": "relationship", "asking": asking})

    assert reply.status_code == 422
    assert reply.json()["code"] == code
    assert reply.json()["errors"][0]["pointer"].startswith(pointer)


async def test_a_campaign_that_could_never_ask_is_not_launched(alice: Tenant) -> None:
    closed = {"from": "2020-01-01T00:00:00Z", "until": "2190-01-01T00:00:00Z"}
    campaign = await create(alice, asking=an_asking(blackouts=[closed]))

    reply = await alice.api.post(f"/v1/campaigns/{campaign['id']}/launch")

    assert reply.status_code == 422
    assert reply.json()["code"] == "asking_invalid"
    assert (await read(alice, campaign))["state"] == "draft"


async def test_a_running_campaign_may_ask_in_another_way(alice: Tenant) -> None:
    campaign = await move(alice, await create(alice, asking=an_asking()), "launch")

    reply = await patch(alice, campaign, asking=an_asking(priority=7))

    assert reply.status_code == 200
    assert reply.json()["asking"]["priority"] == 7


async def test_a_filter_names_only_campaigns_that_are_there(alice: Tenant, charlie: Tenant) -> None:
    other = await create(alice)
    detractors = {"field": "last_band", "campaign_id": other["id"], "eq": "detractor"}
    campaign = await create(alice, asking=an_asking(audience=detractors))
    assert campaign["asking"]["audience"] == detractors
    blackout = {"from": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z", "audience": detractors}
    for asking in (an_asking(audience=detractors), an_asking(blackouts=[blackout])):
        refused = await patch(charlie, await create(charlie), asking=asking)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_campaigns")
        assert refused.json()["errors"][0]["pointer"] == "/asking"
