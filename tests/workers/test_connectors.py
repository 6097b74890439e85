"""Connectors in the whole: made by API, told by a worker, remembered in tables."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.operations.remote_records import KEPT_FOR
from app.workers.chores import forget_remote_records
from tests.builders import a_campaign
from tests.faults import give_up
from tests.outbound.connectors.service import Said, Service, at
from tests.outbound.connectors.test_chat import CHATS, FakeDiscord, FakeSlack
from tests.outbound.connectors.test_crm import FakeHubSpot
from tests.outbound.connectors.test_oauth import FakeSalesforce
from tests.workers.scene import Scene, until

PLACE = "/v1/webhook-endpoints"


@asynccontextmanager
async def a_discord() -> AsyncIterator[FakeDiscord]:
    async with at(FakeDiscord()) as service:
        assert isinstance(service, FakeDiscord)
        yield service


async def connect(scene: Scene, kind: str, service: Service, **fields: Any) -> dict[str, Any]:
    settings = fields.pop("settings", None) or {"url": service.url + CHATS[kind].path}
    return await scene.post(PLACE, kind=kind, settings=settings, delay_seconds=0, **fields)


async def a_person(scene: Scene) -> str:
    account = await scene.post("/v1/accounts", external_id="acme", name="Acme", owner="Olga")
    person = {"external_id": "4711", "email": "ada@example.com", "name": "Ada", "properties": {"plan": "pro"}}
    return str((await scene.post("/v1/recipients", **person, account_id=account["id"]))["id"])


async def test_an_answer_reaches_the_chat_and_a_change_corrects_the_message(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with a_discord() as discord:
        endpoint = await connect(scene, "discord", discord)
        scene.work()
        await scene.answer(campaign, recipient_id=person, score=7, occasion="first")
        await scene.settled(endpoint, 2)
        answer = await scene.answer(campaign, recipient_id=person, score=3, occasion="second", comment="Slow.")
        await scene.settled(endpoint, 3)
        changed = await scene.tenant.api.patch(f"/v1/responses/{answer['id']}", json={"score": 9})
        assert changed.status_code == 200
        await scene.settled(endpoint, 4)
        first, second = discord.messages.values()
    assert "Last time" not in json.dumps(first)
    said = {field["name"]: field["value"] for field in second["embeds"][0]["fields"]}
    assert said["Account"] == "Acme, looked after by Olga"
    assert said["Last time"] == "7 of 10"
    assert said["Changed"] == "Was 3, now 9"
    assert second["embeds"][0]["title"].endswith("Promoter: 9 of 10")


@pytest.mark.parametrize("sqlstate", ["40P01", "08006"])
async def test_what_was_made_there_is_remembered_though_the_database_gave_up_at_first(
    scene: Scene, sqlstate: str
) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    await give_up(scene.engine, "remote_records", when="INSERT", sqlstate=sqlstate)
    async with a_discord() as discord:
        endpoint = await connect(scene, "discord", discord)
        scene.work()
        answer = await scene.answer(campaign, score=3)
        await scene.settled(endpoint, 2)
        await scene.tenant.api.patch(f"/v1/responses/{answer['id']}", json={"score": 9})
        await scene.settled(endpoint, 3)
    assert len(discord.messages) == 1


async def test_credentials_are_checked_at_once_and_refused_ones_disable_the_endpoint(scene: Scene) -> None:
    async with a_discord() as discord:
        good = await connect(scene, "discord", discord)
        bad = await connect(scene, "discord", discord, settings={"url": f"{discord.url}/api/webhooks/1/wrong"})
        scene.work()
        (passed,) = await scene.settled(good)
        (refused,) = await scene.settled(bad)
        assert {asked.method for asked in discord.asked} == {"GET"}
    assert (passed["state"], passed["last_status"]) == ("delivered", 200)
    assert (refused["state"], refused["last_failure"]) == ("exhausted", "not_there")
    assert "Unknown Webhook" in refused["attempts"][0]["reply_head"]
    assert refused["attempts"][0]["request_head"] == f"GET {discord.url}"  # the path lets in whoever knows it
    disabled = await scene.get(f"{PLACE}/{bad['id']}")
    assert (disabled["state"], disabled["disabled_reason"]) == ("disabled", "not_there")


async def test_a_chat_that_cannot_be_asked_is_not_bothered_by_the_check(scene: Scene) -> None:
    async with at(FakeSlack()) as slack:
        endpoint = await connect(scene, "slack", slack)
        scene.work()
        (checked,) = await scene.settled(endpoint)
        assert slack.asked == []
        await scene.post(f"{PLACE}/{endpoint['id']}/test")
        await scene.settled(endpoint, 2)
        assert "This is a test from Zeroten" in str(slack.bodies)
    assert checked["state"] == "delivered"
    assert "cannot be asked" in checked["attempts"][0]["reply_head"]


async def test_a_busy_service_is_tried_again_and_told_once(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with at(FakeSlack()) as slack:
        slack.troubles = [Said(429, b"rate_limited", {"retry-after": "90"})]
        endpoint = await connect(scene, "slack", slack)
        scene.work()
        await scene.settled(endpoint)
        await scene.answer(campaign, score=3)
        waiting = await scene.waiting_for_retry(endpoint)
        wait = await scene.database.fetchval("SELECT extract(epoch FROM due_at - now()) FROM deliveries")
        await scene.make_due()
        await scene.settled(endpoint, 2)
        assert len(slack.asked) == 2
    assert waiting["last_status"] == 429
    assert 60 < wait <= 90


async def test_what_came_later_waits_for_what_came_first(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with a_discord() as discord:
        endpoint = await connect(scene, "discord", discord)
        scene.work()
        await scene.settled(endpoint)
        discord.troubles = [Said(503)]
        answer = await scene.answer(campaign, score=3)
        await scene.waiting_for_retry(endpoint)
        await scene.tenant.api.patch(f"/v1/responses/{answer['id']}", json={"score": 9})
        await until(lambda: scene.database.fetchval(
            "SELECT count(*) = 2 FROM deliveries WHERE attempts < 2 AND claim_id IS NULL AND due_at > now()"
        ))  # fmt: skip
        assert len(discord.asked) == 2  # the check, and the failure
        await scene.make_due()
        await until(lambda: scene.database.fetchval("SELECT count(*) = 1 FROM remote_records"))
        await scene.make_due()
        await scene.settled(endpoint, 3)
        (message,) = discord.messages.values()
    assert message["embeds"][0]["title"].endswith("9 of 10")


async def test_work_of_many_steps_goes_on_where_it_failed(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with at(FakeHubSpot()) as hubspot:
        assert isinstance(hubspot, FakeHubSpot)
        settings = {"base_url": hubspot.url, "token": "secret"}
        endpoint = await connect(scene, "hubspot", hubspot, settings=settings)
        scene.work()
        await scene.settled(endpoint)
        hubspot.troubles = [None] * 8 + [Said(503)]  # refused, a group, four properties, refused, created; no note
        await scene.answer(campaign, recipient_id=person, score=3)
        await scene.waiting_for_retry(endpoint)
        asked = len(hubspot.asked)
        await scene.make_due()
        await scene.settled(endpoint, 2)
        assert [one.path for one in hubspot.asked[asked:]] == ["/crm/objects/2026-03/notes"]
        assert len(hubspot.notes) == 1
    known = await scene.database.fetch("SELECT name, remote_id FROM remote_records ORDER BY name")
    assert [(row["name"].partition(" ")[0], row["remote_id"]) for row in known] == [("contact", "100"), ("note", "901")]


async def test_what_was_sent_before_our_side_failed_counts_as_an_attempt(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with a_discord() as discord:
        endpoint = await connect(scene, "discord", discord)
        scene.work()
        await scene.settled(endpoint)
        await scene.database.execute("ALTER TABLE remote_records ADD CONSTRAINT broken CHECK (false) NOT VALID")
        await scene.answer(campaign, score=3)
        waiting = await scene.waiting_for_retry(endpoint)
        await scene.database.execute("ALTER TABLE remote_records DROP CONSTRAINT broken")
        await scene.make_due()
        delivered, _ = await scene.settled(endpoint, 2)
    assert (waiting["last_failure"], waiting["attempt_count"]) == ("cut_short", 1)
    assert "our side" in waiting["last_failure_hint"]
    assert (delivered["state"], delivered["attempt_count"]) == ("delivered", 2)


@pytest.mark.parametrize("change", ["host", "secret"])
async def test_in_another_account_nothing_is_known_by_the_ids_of_the_first(scene: Scene, change: str) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with at(FakeHubSpot()) as first, at(FakeHubSpot()) as second:
        settings = {"base_url": first.url, "token": "secret"}
        endpoint = await connect(scene, "hubspot", first, settings=settings)
        scene.work()
        await scene.answer(campaign, recipient_id=person, score=3)
        await scene.settled(endpoint, 2)
        assert await scene.database.fetchval("SELECT count(*) FROM remote_records") == 2
        place = f"{PLACE}/{endpoint['id']}"
        linked = await scene.tenant.api.patch(
            place, json={"settings": {"link": "https://crm.example/", "token": "secret"}}
        )
        assert linked.status_code == 200
        assert await scene.database.fetchval("SELECT count(*) FROM remote_records") == 2
        elsewhere = {"base_url": second.url, "token": "secret"} if change == "host" else {"token": "another"}
        assert (await scene.tenant.api.patch(place, json={"settings": elsewhere})).status_code == 200
        assert await scene.database.fetchval("SELECT count(*) FROM remote_records") == 0


async def test_one_log_in_serves_many_and_one_that_ran_out_is_renewed(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with at(FakeSalesforce()) as salesforce:
        assert isinstance(salesforce, FakeSalesforce)
        settings = {"base_url": salesforce.url, "client_id": "c", "client_secret": "secret"}
        endpoint = await connect(scene, "salesforce", salesforce, settings=settings, event_types=["response.created"])
        scene.work()
        await scene.settled(endpoint)
        for number in range(6):
            await scene.answer(campaign, recipient_id=person, score=3, occasion=str(number))
        await scene.settled(endpoint, 7)
        assert salesforce.log_ins == 1  # for the check, too
        salesforce.good_tokens.clear()
        await scene.answer(campaign, recipient_id=person, score=3, occasion="later")
        finished = await scene.settled(endpoint, 8)
    assert {one["state"] for one in finished} == {"delivered"}
    assert salesforce.log_ins == 2
    assert len(salesforce.records) == 7


async def test_nothing_is_told_about_somebody_who_was_erased_meanwhile(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with a_discord() as discord:
        endpoint = await connect(scene, "discord", discord)
        await scene.answer(campaign, recipient_id=person, score=3, comment="Slow.")
        assert (await scene.tenant.api.delete(f"/v1/recipients/{person}")).status_code == 204
        scene.work()
        await scene.settled(endpoint, 2)
        assert discord.messages == {}


async def test_what_was_made_elsewhere_is_forgotten_after_a_year(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with a_discord() as discord:
        endpoint = await connect(scene, "discord", discord)
        scene.work()
        await scene.answer(campaign, score=3)
        await scene.settled(endpoint, 2)
    await forget_remote_records(scene.engine, scene.settings())
    assert await scene.database.fetchval("SELECT count(*) FROM remote_records") == 1
    await scene.database.execute("UPDATE remote_records SET made_at = now() - $1::interval", KEPT_FOR)
    await forget_remote_records(scene.engine, scene.settings())
    assert await scene.database.fetchval("SELECT count(*) FROM remote_records") == 0


async def test_new_credentials_are_checked_at_once_and_before_what_waits(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with at(FakeHubSpot()) as hubspot:
        assert isinstance(hubspot, FakeHubSpot)
        settings = {"base_url": hubspot.url, "token": "secret"}
        endpoint = await connect(scene, "hubspot", hubspot, settings=settings)
        scene.work()
        await scene.settled(endpoint)
        hubspot.troubles = [Said(503), Said.of(401, {})]
        await scene.answer(campaign, recipient_id=person, score=3)
        await scene.waiting_for_retry(endpoint)
        await scene.post(f"{PLACE}/{endpoint['id']}/test")  # is refused; the answer waits
        await scene.settled(endpoint, 2)
        await scene.make_due()
        for token, count, state in (("wrong", 3, "disabled"), ("secret", 5, "enabled")):
            changed = {"settings": {"token": token}}
            assert (await scene.tenant.api.patch(f"{PLACE}/{endpoint['id']}", json=changed)).json()[
                "state"
            ] == "enabled"
            await scene.settled(endpoint, count)
            assert (await scene.get(f"{PLACE}/{endpoint['id']}"))["state"] == state
        told = await scene.deliveries(endpoint)
    assert [one["state"] for one in told].count("exhausted") == 2  # the refused test and check; the answer arrived
    assert len(hubspot.notes) == 1


async def test_who_was_disabled_by_somebody_stays_so(scene: Scene) -> None:
    async with at(FakeHubSpot()) as hubspot:
        settings = {"base_url": hubspot.url, "token": "secret"}
        endpoint = await connect(scene, "hubspot", hubspot, settings=settings)
        await scene.post(f"{PLACE}/{endpoint['id']}/disable")
        changed = await scene.tenant.api.patch(f"{PLACE}/{endpoint['id']}", json={"settings": {"token": "other"}})
    assert changed.json()["state"] == "disabled"


async def test_changing_an_older_answer_leaves_the_last_score_alone(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with at(FakeHubSpot()) as hubspot:
        assert isinstance(hubspot, FakeHubSpot)
        settings = {"base_url": hubspot.url, "token": "secret"}
        endpoint = await connect(scene, "hubspot", hubspot, settings=settings)
        scene.work()
        older = await scene.answer(campaign, recipient_id=person, score=3, occasion="first")
        await scene.settled(endpoint, 2)
        await scene.answer(campaign, recipient_id=person, score=9, occasion="second")
        await scene.settled(endpoint, 3)
        await scene.tenant.api.patch(f"/v1/responses/{older['id']}", json={"score": 7})
        await scene.settled(endpoint, 4)
        (contact,) = hubspot.contacts.values()
    assert contact["nps_score"] == "9"
    assert len(hubspot.notes) == 3
