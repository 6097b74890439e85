"""Campaigns that ask by themselves: what callers write about it, and when it is refused."""

from typing import Any

import pytest

from tests.askings import FULL, an_asking
from tests.campaigns import SURVEY, create, move, patch, read
from tests.conftest import Tenant


async def mails_from(tenant: Tenant, **sender: Any) -> None:
    assert (await tenant.api.patch("/v1/workspace", json={"sender": sender})).status_code == 200


async def test_a_campaign_says_whom_it_asks(alice: Tenant) -> None:
    await mails_from(alice, domains=["example.com"])
    campaign = await create(alice, asking=FULL)

    assert campaign["asking"] == FULL
    assert (await create(alice))["asking"] is None


async def test_what_is_left_out_is_shown_as_it_holds(alice: Tenant) -> None:
    campaign = await create(alice, asking=an_asking())

    assert campaign["asking"]["wave_days"] == 14
    assert campaign["asking"]["expires_after_days"] == 30


async def test_asking_is_replaced_as_a_whole_and_taken_away(alice: Tenant) -> None:
    await mails_from(alice, from_email="surveys@example.com")
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


BORROWED = an_asking(email={"from_email": "ceo@bank.example"})


async def test_mails_come_from_an_address_of_the_workspace(alice: Tenant) -> None:
    await mails_from(alice, from_email="surveys@shop.example")
    campaign = await create(alice, asking=an_asking())
    new = {"name": "A", "kind": "relationship", "asking": BORROWED}
    path = f"/v1/campaigns/{campaign['id']}"
    replies = [
        await alice.api.post("/v1/campaigns", json=new),
        await alice.api.post("/v1/campaigns", json={**new, "template": {"key": "nps_relationship"}}),
        await patch(alice, campaign, asking=BORROWED),
        await alice.api.post(f"{path}/plan", json={"asking": BORROWED}),
    ]
    for reply in replies:
        assert (reply.status_code, reply.json()["code"]) == (422, "asking_invalid")
        assert reply.json()["errors"][0]["pointer"] == "/asking/email/from_email"
    assert "bank.example is none of the domains" in replies[0].json()["detail"]
    await mails_from(alice, domains=["bank.example"])
    assert (await patch(alice, campaign, asking=BORROWED)).status_code == 200


async def test_a_domain_that_was_taken_away_meanwhile_stops_a_launch_and_is_mailed_from_no_more(alice: Tenant) -> None:
    await mails_from(alice, from_email="surveys@shop.example", domains=["bank.example"])
    running = await move(alice, await create(alice, asking=BORROWED), "launch")
    draft = await create(alice, asking=BORROWED)
    assert await mailed_from(alice, running) == "ceo@bank.example"
    await mails_from(alice, domains=[])

    reply = await alice.api.post(f"/v1/campaigns/{draft['id']}/launch")

    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/asking/email/from_email")
    assert await mailed_from(alice, running) == "surveys@shop.example"
    assert (await patch(alice, running, name="Another")).status_code == 200
    assert (await patch(alice, running, asking={**BORROWED, "priority": 1})).status_code == 422


async def mailed_from(tenant: Tenant, campaign: dict[str, Any]) -> str:
    preview = (await tenant.api.get(f"/v1/campaigns/{campaign['id']}/email-preview")).json()
    return str(preview["sender"]).partition("<")[2].rstrip(">")


TWO_WORDINGS = [{"key": "a"}, {"key": "b", "question": {"en": "Would you recommend us?", "de": "Empfehlen?"}}]


@pytest.mark.parametrize(
    "variants",
    [
        [],
        [{"key": "a"}, {"key": "b", "question": {"en": "Would you tell a friend?", "de": "Empfehlen?"}}],
        [{"key": "a", "question": {"en": "Why?", "de": "Warum?"}}, TWO_WORDINGS[1]],
    ],
)
async def test_what_a_variant_asks_is_fixed_at_launch(alice: Tenant, variants: list[dict[str, Any]]) -> None:
    """Whoever has its mail would be asked something else on the page, and be counted under both."""
    await mails_from(alice, from_email="surveys@example.com")
    campaign = await create(alice, asking=an_asking(variants=TWO_WORDINGS))
    assert (await patch(alice, campaign, asking=an_asking(variants=variants))).status_code == 200
    assert (await patch(alice, campaign, asking=an_asking(variants=TWO_WORDINGS))).status_code == 200
    await move(alice, campaign, "launch")
    refused = await patch(alice, campaign, asking=an_asking(variants=variants))
    assert (refused.status_code, refused.json()["code"]) == (422, "asking_invalid")
    assert refused.json()["errors"][0]["pointer"] == "/asking/variants"
    ended = [*TWO_WORDINGS[:1], {**TWO_WORDINGS[1], "weight": 0, "subject": {"en": "A word?"}}, {"key": "c"}]
    assert (await patch(alice, campaign, asking=an_asking(variants=ended))).status_code == 200


async def test_a_variant_asks_in_every_language_of_the_survey(alice: Tenant) -> None:
    await mails_from(alice, from_email="surveys@example.com")
    campaign = await create(alice, asking=an_asking(variants=[{"key": "a"}, {"key": "b", "question": {"en": "Why?"}}]))
    refused = await alice.api.post(f"/v1/campaigns/{campaign['id']}/launch")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/asking/variants/1/question/de")


async def test_a_margin_of_stars_is_of_stars(alice: Tenant) -> None:
    """± 5 of five stars would be enough after two answers."""
    wide, narrow = an_asking(stop={"margin": 5}), an_asking(stop={"margin": 0.5})
    body = {"name": "Stars", "kind": "relationship", "metric": "stars", "survey": SURVEY}

    refused = await alice.api.post("/v1/campaigns", json={**body, "asking": wide})
    campaign = await create(alice, metric="stars", asking=narrow)
    replies = [refused, await patch(alice, campaign, asking=wide)]
    of_points = await create(alice, asking=wide)
    replies.append(await patch(alice, of_points, metric="stars"))

    assert [reply.status_code for reply in replies] == [422] * 3
    assert {reply.json()["errors"][0]["pointer"] for reply in replies} == {"/asking/stop/margin"}
