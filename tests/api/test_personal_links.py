"""Links that somebody else mails: made by the rule that sends, and counted as asked."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain import ids
from app.domain.scores.metric import METRICS
from tests.askings import an_asking
from tests.builders import a_campaign, a_recipient, rows
from tests.campaigns import create, move
from tests.conftest import Tenant

NOBODY = f"rcpt_{0:032x}"


async def make(tenant: Tenant, campaign: str, *recipients: str, **said: Any) -> Any:
    body = {"recipient_ids": list(recipients), **said}
    reply = await tenant.api.post(f"/v1/campaigns/{campaign}/links", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def recipient(engine: Engine, shown: str) -> dict[str, Any]:
    (row,) = await rows(engine, "SELECT * FROM recipients WHERE id = :id", id=ids.parsed("recipient", shown))
    return row


async def test_a_link_leads_to_the_survey_and_its_person_counts_as_asked(engine: Engine, alice: Tenant) -> None:
    campaign, person = await a_campaign(engine, alice.workspace_id), await a_recipient(engine, alice.workspace_id)
    (link,) = (await make(alice, campaign, person))["links"]
    assert (link["recipient_id"], link["is_new"], link["reason"]) == (person, True, None)
    assert link["unsubscribe_url"] == link["survey_url"].replace("/s/", "/u/")
    assert (await recipient(engine, person))["asked_at"] is not None
    path = link["survey_url"].removeprefix("http://127.0.0.1:8010")
    transport = alice.api._transport
    async with client_without_contract(transport) as visitor:
        assert "How likely are you to recommend us?" in (await visitor.get(path)).text
        await visitor.post(path, data={"score": "9"})
    (response,) = await rows(
        engine, "SELECT channel, score FROM responses WHERE workspace_id = :id", id=alice.workspace_id
    )
    assert (response["channel"], response["score"]) == ("link", 9)


def client_without_contract(transport: Any) -> Any:
    """Pages are no part of the API."""
    return httpx.AsyncClient(
        transport=transport, base_url="http://zeroten.test", headers={"user-agent": "Mozilla/5.0 Firefox/130.0"}
    )


async def test_the_same_again_is_the_same_link(engine: Engine, alice: Tenant) -> None:
    campaign, person = await a_campaign(engine, alice.workspace_id), await a_recipient(engine, alice.workspace_id)
    (first,), (again,) = [(await make(alice, campaign, person))["links"] for _ in range(2)]
    assert again == {**first, "is_new": False}


async def test_whoever_was_asked_by_another_campaign_gets_the_reason(engine: Engine, alice: Tenant) -> None:
    campaigns = [await a_campaign(engine, alice.workspace_id) for _ in range(2)]
    person = await a_recipient(engine, alice.workspace_id)
    await make(alice, campaigns[0], person)
    (refused,) = (await make(alice, campaigns[1], person))["links"]
    assert (refused["survey_url"], refused["reason"]) == (None, "quarantine")
    assert refused["until"] is not None


async def test_the_clock_of_a_link_stands_still_in_blackouts(engine: Engine, alice: Tenant) -> None:
    now = datetime.now(UTC)
    days = [(now + timedelta(days=days)).isoformat() for days in (-1, 10, 20, 22)]
    pro = {"field": "properties.plan", "eq": "pro"}
    dark = [{"from": days[0], "until": days[1]}, {"from": days[2], "until": days[3], "audience": pro}]
    asking = an_asking(blackouts=dark, expires_after_days=30)
    campaign = await move(alice, await create(alice, asking=asking), "launch")
    people = [await a_recipient(engine, alice.workspace_id, properties={"plan": plan}) for plan in ("free", "pro")]

    links = (await make(alice, campaign["id"], *people))["links"]

    assert [(datetime.fromisoformat(link["expires_at"]) - now).days for link in links] == [40, 42]
    async with engine.write() as tx:  # as if a month had gone by
        await tx.execute(text("UPDATE invitations SET expires_at = expires_at - interval '31 days'"))
    async with client_without_contract(alice.api._transport) as visitor:
        page = await visitor.get(links[0]["survey_url"].removeprefix("http://127.0.0.1:8010"))
    assert "How likely" in page.text


async def test_who_said_no_or_is_unknown_gets_no_link(engine: Engine, alice: Tenant, charlie: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    left, stranger = [await a_recipient(engine, one.workspace_id) for one in (alice, charlie)]
    await alice.api.post(f"/v1/recipients/{left}/unsubscribe")
    links = (await make(alice, campaign, left, stranger, NOBODY))["links"]
    assert [(link["recipient_id"], link["reason"]) for link in links] == [
        (left, "unsubscribed"), (stranger, "erased"), (NOBODY, "erased")
    ]  # fmt: skip
    assert (await recipient(engine, stranger))["asked_at"] is None


async def test_two_callers_at_once_ask_nobody_twice(engine: Engine, alice: Tenant) -> None:
    campaigns = [await a_campaign(engine, alice.workspace_id) for _ in range(4)]
    people = [await a_recipient(engine, alice.workspace_id) for _ in range(20)]
    made = await asyncio.gather(*(make(alice, campaign, *people) for campaign in campaigns))
    new = [link["recipient_id"] for reply in made for link in reply["links"] if link["is_new"]]
    assert sorted(new) == sorted(people)


async def test_a_file_for_another_mail_tool(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    people = [await a_recipient(engine, alice.workspace_id, external_id=name) for name in ("=1+1", "b")]
    body, headers = {"recipient_ids": [*people, NOBODY]}, {"accept": "text/csv"}
    reply = await alice.api.post(f"/v1/campaigns/{campaign}/links", json=body, headers=headers)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    found = list(csv.DictReader(io.StringIO(reply.text)))
    assert [row["external_id"] for row in found] == ["'=1+1", "b", ""]
    assert [row["reason"] for row in found] == ["", "", "erased"]
    assert found[1]["survey_url"].startswith("http")


async def test_a_campaign_that_does_not_run_asks_nobody(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id, state="paused")
    (link,) = (await make(alice, campaign, await a_recipient(engine, alice.workspace_id)))["links"]
    assert link["reason"] == "campaign_not_running"


async def test_an_anonymous_link_is_made_once_and_cannot_be_made_again(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id, is_anonymous=True)
    person = await a_recipient(engine, alice.workspace_id)
    (first,), (again,) = [(await make(alice, campaign, person))["links"] for _ in range(2)]
    assert first["survey_url"] is not None
    token = first["unsubscribe_url"].rpartition("/u/")[2]
    assert token not in first["survey_url"]
    async with client_without_contract(alice.api._transport) as visitor:
        await visitor.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
        assert (await visitor.get(f"/s/{token}")).status_code == 404
    assert (await recipient(engine, person))["unsubscribed_at"] is not None
    assert (again["survey_url"], again["reason"]) == (None, "quarantine")


class Buttons(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize("metric", METRICS)
async def test_the_buttons_of_every_scale(engine: Engine, alice: Tenant, metric: str) -> None:
    campaign = await a_campaign(engine, alice.workspace_id, metric=metric)
    html = (await make(alice, campaign, NOBODY))["html"]
    assert Buttons(html).links == [f"{{{{survey_url}}}}?score={score}" for score in METRICS[metric].scores]
    assert len(html) < 6_000


async def test_the_buttons_of_a_variant_ask_what_its_page_asks(engine: Engine, alice: Tenant) -> None:
    own = {"key": "b", "question": {"en": "Would you, friend?", "de": "Und du?"}}
    made_campaign = await create(alice, asking=an_asking(variants=[{"key": "a"}, own]))
    await move(alice, made_campaign, "launch")
    campaign = made_campaign["id"]
    people = [await a_recipient(engine, alice.workspace_id) for _ in range(8)]
    made = await make(alice, campaign, *people)
    assert [key for key, html in made["html_of_variants"].items() if "Would you, friend?" in html] == ["b"]
    assert "Would you, friend?" not in made["html"]
    async with client_without_contract(alice.api._transport) as visitor:
        for link in made["links"]:
            page = (await visitor.get(link["survey_url"].removeprefix("http://127.0.0.1:8010"))).text
            assert ("Would you, friend?" in page) == (link["variant"] == "b")
    again = await make(alice, campaign, *people)
    assert [link["variant"] for link in again["links"]] == [link["variant"] for link in made["links"]]


async def test_five_hundred_at_once_and_no_more(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    reply = await alice.api.post(f"/v1/campaigns/{campaign}/links", json={"recipient_ids": [NOBODY] * 501})
    assert reply.status_code == 422


async def test_whoever_may_not_read_people_gets_no_file_of_their_addresses(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    person = await a_recipient(engine, alice.workspace_id, email="ada@example.com")
    key = (await alice.api.post("/v1/api-keys", json={"name": "k", "scopes": ["campaigns:write"]})).json()
    of_key = {"authorization": f"Bearer {key['token']}"}
    where, body = f"/v1/campaigns/{campaign}/links", {"recipient_ids": [person]}
    refused = await alice.api.post(where, json=body, headers={**of_key, "accept": "text/csv"})
    assert (refused.status_code, refused.json()["scope"]) == (403, "recipients:read")
    assert (await recipient(engine, person))["asked_at"] is None
    reply = await alice.api.post(where, json=body, headers=of_key)
    assert reply.status_code == 200
    assert "ada@" not in reply.text
