"""Pulling in the whole: set by API, read by a worker from a service on loopback, stored by the rules of imports."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.workers.chores import forget_remote_records
from tests.outbound.connectors.people import START, Person, PullableHubSpot, PullableSalesforce, crowd
from tests.outbound.connectors.service import Asked, Said, at
from tests.workers.scene import Scene, until

pytestmark = pytest.mark.slow

PLACE = "/v1/webhook-endpoints"


@asynccontextmanager
async def a_hubspot(*people: Any) -> AsyncIterator[PullableHubSpot]:
    async with at(PullableHubSpot(people)) as service:
        assert isinstance(service, PullableHubSpot)
        yield service


async def connected(scene: Scene, service: PullableHubSpot, **settings: Any) -> dict[str, Any]:
    settings = {"base_url": service.url, "token": "secret", **settings}
    return await scene.post(PLACE, kind="hubspot", settings=settings, delay_seconds=0)


async def pull(scene: Scene, endpoint: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    reply = await scene.tenant.api.put(f"{PLACE}/{endpoint['id']}/pull", json=settings)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def pulled(scene: Scene, endpoint: Mapping[str, Any], *, runs: int = 1) -> dict[str, Any]:
    """How it stands after so many imports of it have been worked off."""

    async def are_stored() -> bool:
        return await scene.database.fetchval(
            "SELECT count(*) >= $1 FROM imports WHERE state = 'completed' AND endpoint_id IS NOT NULL", runs
        )

    await until(are_stored, seconds=60)
    return await scene.get(f"{PLACE}/{endpoint['id']}/pull")


async def failed(scene: Scene, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    await until(lambda: scene.database.fetchval("SELECT count(*) = 1 FROM pulls WHERE failures > 0"))
    return await scene.get(f"{PLACE}/{endpoint['id']}/pull")


async def people(scene: Scene) -> dict[str, Any]:
    found = await scene.database.fetch("SELECT * FROM recipients WHERE deleted_at IS NULL")
    return {row["email"]: row for row in found}


async def test_people_and_their_companies_come_in_with_one_announcement(scene: Scene) -> None:
    some = crowd(230)
    some[0].fields |= {"firstname": "Ada", "lastname": "Lovelace", "associatedcompanyid": "7"}
    async with a_hubspot(*some) as hubspot:
        hubspot.companies["7"] = {"name": "Acme"}
        endpoint = await connected(scene, hubspot)
        begun = await pull(scene, endpoint, every_hours=6)
        scene.work()
        pulled_once = await pulled(scene, endpoint)
    assert (begun["state"], begun["every_hours"]) == ("waiting", 6)
    assert (pulled_once["state"], pulled_once["last_failure"]) == ("waiting", None)
    assert pulled_once["read_until"].startswith("2026-11-01T09:03:49")
    report = await scene.get(f"/v1/imports/{pulled_once['last_import_id']}")
    assert report["endpoint_id"] == endpoint["id"]
    assert report["rows"] == {"read": 232, "created": 230, "updated": 0, "unchanged": 2, "rejected": 0}
    ada = (await people(scene))["p0@example.com"]
    assert ada["name"] == "Ada Lovelace"
    assert await scene.database.fetchval("SELECT name FROM accounts WHERE id = $1", ada["account_id"]) == "Acme"
    types = await scene.database.fetch("SELECT type, count(*) FROM events GROUP BY type")
    assert {row["type"]: row["count"] for row in types} == {"endpoint.test": 1, "import.completed": 1}


async def test_the_next_run_brings_in_what_changed_and_comes_by_itself(scene: Scene) -> None:
    async with a_hubspot(*crowd(900)) as hubspot:
        endpoint = await connected(scene, hubspot)
        await pull(scene, endpoint)
        scene.work()
        await pulled(scene, endpoint)
        first = len(hubspot.asked)
        hubspot.person("1001").changed = START + timedelta(hours=1)
        hubspot.person("1001").fields["firstname"] = "Grace"
        due = await scene.database.fetchval("SELECT due_at - started_at FROM pulls")
        await scene.database.execute("UPDATE pulls SET due_at = now()")
        again = await pulled(scene, endpoint, runs=2)
    assert due == timedelta(hours=24)
    report = await scene.get(f"/v1/imports/{again['last_import_id']}")
    assert report["rows"]["updated"] == 1
    assert 301 <= report["rows"]["read"] <= 310  # the last five minutes again, and the last of each page
    assert len(hubspot.asked) - first < first
    assert (await people(scene))["p1@example.com"]["name"] == "Grace"


async def test_a_company_that_changes_by_itself_changes_here_and_no_other_is_brought_in(scene: Scene) -> None:
    some = crowd(2)
    some[0].fields["associatedcompanyid"] = "7"
    async with a_hubspot(*some) as hubspot:
        hubspot.companies["7"] = {"name": "Acme"}
        endpoint = await connected(scene, hubspot)
        await pull(scene, endpoint)
        scene.work()
        await pulled(scene, endpoint)
        moment = datetime.now(UTC)
        named = {"7": "Acme Holding", "8": "Stranger", "9": ""}
        hubspot.changed_companies = [Person(one, moment, {"name": name}) for one, name in named.items()]
        await scene.post(f"{PLACE}/{endpoint['id']}/pull")
        renamed = "SELECT count(*) = 1 FROM accounts WHERE name = 'Acme Holding'"
        await until(lambda: scene.database.fetchval(renamed))
        await until(lambda: scene.database.fetchval("SELECT position IS NULL AND claim_id IS NULL FROM pulls"))
        done = await scene.get(f"{PLACE}/{endpoint['id']}/pull")
    assert (done["state"], done["last_failure"]) == ("waiting", None)
    assert await scene.database.fetchval("SELECT count(*) FROM accounts") == 1
    (ended,) = await scene.database.fetch("SELECT companies_cursor->>'since' AS since FROM pulls")
    assert abs(datetime.fromisoformat(ended["since"]) - moment) < timedelta(seconds=1)


async def test_who_opted_out_there_is_unsubscribed_here_and_never_subscribed_again(scene: Scene) -> None:
    some = crowd(4)
    some[1].fields["hs_email_optout"] = "true"
    some[3].fields["hs_email_optout"] = "false"
    refuser = await scene.post("/v1/recipients", email="p3@example.com")
    await scene.tenant.api.post(f"/v1/recipients/{refuser['id']}/unsubscribe")
    async with a_hubspot(*some) as hubspot:
        endpoint = await connected(scene, hubspot)
        await pull(scene, endpoint)
        scene.work()
        await pulled(scene, endpoint)
        since = (await people(scene))["p1@example.com"]["unsubscribed_at"]
        some[1].fields["hs_email_optout"] = "false"
        await scene.post(f"{PLACE}/{endpoint['id']}/pull")
        await pulled(scene, endpoint, runs=2)
    known = await people(scene)
    assert since is not None
    assert known["p1@example.com"]["unsubscribed_at"] == since
    assert known["p3@example.com"]["unsubscribed_at"] is not None
    assert known["p0@example.com"]["unsubscribed_at"] is None
    told = "SELECT count(*) FROM events WHERE type = 'recipient.unsubscribed' AND recipient_id <> $1::uuid"
    assert await scene.database.fetchval(told, refuser["id"].partition("_")[2]) == 0


async def test_an_opt_out_that_was_pulled_is_passed_on_once_and_not_back(scene: Scene) -> None:
    some = crowd(3)
    some[1].fields["hs_email_optout"] = "true"
    async with a_hubspot(*some) as one, a_hubspot() as other:
        asked = {"delay_seconds": 0, "event_types": ["response.created", "recipient.unsubscribed"]}
        ends = [await scene.post(PLACE, kind="hubspot", settings=_settings(end), **asked) for end in (one, other)]
        await connected(scene, other)  # is told of answers only
        await pull(scene, ends[0])
        scene.work()
        await pulled(scene, ends[0])
        (told, *_) = await scene.settled(ends[1], 2)
        await scene.post(f"{PLACE}/{ends[0]['id']}/pull")
        await pulled(scene, ends[0], runs=2)
        assert await scene.database.fetchval("SELECT count(*) FROM events WHERE type LIKE 'recipient.%'") == 1
        paths = [[asked.path for asked in end.asked if "/statuses/" in asked.path] for end in (one, other)]
    assert (told["event_type"], told["state"]) == ("recipient.unsubscribed", "delivered")
    assert paths == [[], ["/communication-preferences/2026-03/statuses/p1%40example.com/unsubscribe-all"]]


def _settings(service: PullableHubSpot) -> dict[str, str]:
    return {"base_url": service.url, "token": "secret"}


async def test_a_row_that_cannot_be_followed_is_reported_but_its_refusal_counts(scene: Scene) -> None:
    await scene.post("/v1/recipients", email="p0@example.com", external_id="ours")
    some = crowd(2, field_name="email")
    some[0].fields |= {"crm_id": "theirs", "hs_email_optout": "true"}
    some[1].fields |= {"email": "nonsense"}
    async with a_hubspot(*some) as hubspot:
        endpoint = await connected(scene, hubspot)
        fields = {"email": "email", "crm_id": "external_id", "hs_email_optout": "unsubscribed"}
        await pull(scene, endpoint, fields=fields)
        scene.work()
        done = await pulled(scene, endpoint)
    errors = (await scene.get(f"/v1/imports/{done['last_import_id']}/errors"))["data"]
    assert [(row["line"], row["code"], row["record"]) for row in errors] == [
        (1, "identity_conflict", "1000"), (3, "recipient_invalid", "1001")
    ]  # fmt: skip
    assert (await people(scene))["p0@example.com"]["unsubscribed_at"] is not None


async def test_what_refuses_us_is_told_and_what_was_read_before_is_stored(scene: Scene) -> None:
    async with a_hubspot(*crowd(250)) as hubspot:
        hubspot.troubles = [None, None, Said.of(403, {"category": "MISSING_SCOPES"})]  # a check, a page, no more
        endpoint = await connected(scene, hubspot)
        scene.work()
        await scene.settled(endpoint)
        await pull(scene, endpoint)
        await pulled(scene, endpoint)
        told = await failed(scene, endpoint)
        assert len(await people(scene)) == 100
        await scene.post(f"{PLACE}/{endpoint['id']}/pull")
        done = await pulled(scene, endpoint, runs=2)
    assert (told["state"], told["last_failure"]) == ("failing", "unauthorized")
    assert "credentials" in told["last_failure_hint"]
    assert "MISSING_SCOPES" in told["last_reply"]
    assert (done["last_failure"], done["last_reply"]) == (None, None)
    assert done["state"] == "waiting"
    assert len(await people(scene)) == 250
    assert (await scene.get(f"{PLACE}/{endpoint['id']}"))["state"] == "enabled"  # a missing scope may still let us send


async def test_a_busy_service_is_asked_again_when_it_said(scene: Scene) -> None:
    async with a_hubspot(*crowd(2)) as hubspot:
        hubspot.troubles = [None, Said.of(429, {"policyName": "DAILY"})]
        endpoint = await connected(scene, hubspot)
        scene.work()
        await scene.settled(endpoint)
        await pull(scene, endpoint)
        await failed(scene, endpoint)
        wait = await scene.database.fetchval("SELECT extract(epoch FROM due_at - now()) FROM pulls")
    assert 3_500 < wait <= 3_600


async def test_a_session_that_ended_is_renewed(scene: Scene) -> None:
    some = crowd(450, field_name="Email")
    async with at(PullableSalesforce(some)) as service:
        assert isinstance(service, PullableSalesforce)
        settings = {"base_url": service.url, "client_id": "c", "client_secret": "secret"}
        endpoint = await scene.post(PLACE, kind="salesforce", settings=settings)
        scene.work()
        await scene.settled(endpoint)
        service.troubles = [None, Said.of(401, [{"errorCode": "INVALID_SESSION_ID"}])]  # a page, expired
        await pull(scene, endpoint)
        await pulled(scene, endpoint)
    assert service.log_ins == 2  # the first for the check too
    assert len(await people(scene)) == 450


class Hesitant(PullableHubSpot):
    """Says when a page is asked for; the worker can be killed then."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.searches = 0

    def reply(self, asked: Asked) -> Said:
        self.searches += asked.path.endswith("/search")
        return super().reply(asked)


async def test_a_worker_that_dies_between_two_pages_is_made_up_for_by_another(scene: Scene) -> None:
    async with at(Hesitant(crowd(1_200))) as hubspot:
        assert isinstance(hubspot, Hesitant)
        endpoint = await connected(scene, hubspot)
        await pull(scene, endpoint)
        for pages in (3, 6, 9):
            worker = scene.work()
            await until(lambda pages=pages: _have_been(hubspot, pages))  # type: ignore[misc]
            await worker.kill()
            await scene.database.execute("UPDATE pulls SET due_at = now()")  # as if the lease were over
        scene.work()
        done = await pulled(scene, endpoint)
    report = await scene.get(f"/v1/imports/{done['last_import_id']}")
    assert report["rows"]["rejected"] == 0
    assert len(await people(scene)) == 1_200
    assert hubspot.searches <= 13 + 2 * 3


async def _have_been(hubspot: Hesitant, pages: int) -> bool:
    from asyncio import sleep

    await sleep(0)
    return hubspot.searches >= pages


async def test_another_account_is_read_from_the_beginning(scene: Scene) -> None:
    async with a_hubspot(*crowd(2)) as here, a_hubspot(*crowd(2)) as there:
        there.people[0].fields["email"] = "elsewhere@example.com"
        endpoint = await connected(scene, here)
        await pull(scene, endpoint)
        scene.work()
        await pulled(scene, endpoint)
        await scene.database.execute(
            "UPDATE pulls SET cursor = jsonb_set(cursor, '{since}', '\"2027-01-01T00:00:00+00:00\"')"
        )
        changed = {"settings": {"base_url": there.url, "token": "secret"}}
        assert (await scene.tenant.api.patch(f"{PLACE}/{endpoint['id']}", json=changed)).status_code == 200
        await scene.post(f"{PLACE}/{endpoint['id']}/pull")
        await pulled(scene, endpoint, runs=2)
    assert "elsewhere@example.com" in await people(scene)


async def test_nothing_is_pulled_through_an_endpoint_that_rests_or_is_gone(scene: Scene) -> None:
    async with a_hubspot(*crowd(2)) as hubspot:
        endpoint = await connected(scene, hubspot)
        await scene.post(f"{PLACE}/{endpoint['id']}/disable")
        await pull(scene, endpoint)
        other = await connected(scene, hubspot)
        await pull(scene, other)
        scene.work()
        await pulled(scene, other)
        assert (await scene.get(f"{PLACE}/{endpoint['id']}/pull"))["last_started_at"] is None
        await scene.tenant.api.delete(f"{PLACE}/{other['id']}")
        assert await scene.database.fetchval("SELECT count(*) FROM pulls") == 1
        assert (await scene.tenant.api.delete(f"{PLACE}/{endpoint['id']}/pull")).status_code == 204
    shown = await scene.get(f"{PLACE}/{endpoint['id']}/pull")
    assert (shown["state"], shown["every_hours"], shown["fields"]["email"]) == ("off", None, "email")
    refused = await scene.tenant.api.post(f"{PLACE}/{endpoint['id']}/pull")
    assert (refused.status_code, refused.json()["code"]) == (404, "pull_not_set")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"fields": {"firstname": "name"}}, "/fields"),
    ({"fields": {"email": "email", "company.name": "account.name"}}, "/fields"),
    ({"fields": {"email": "mail"}}, "/fields/email"),
    ({"fields": {"email, Id FROM User": "email"}}, "/fields/email, Id FROM User"),
    ({"every_hours": 0}, "/every_hours"),
]


@pytest.mark.parametrize(("settings", "pointer"), REFUSED)
async def test_what_cannot_be_pulled_is_refused(scene: Scene, settings: dict[str, Any], pointer: str) -> None:
    async with a_hubspot() as hubspot:
        endpoint = await connected(scene, hubspot)
        reply = await scene.tenant.api.put(f"{PLACE}/{endpoint['id']}/pull", json=settings)
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == pointer


async def test_webhooks_and_chats_pull_nobody(scene: Scene) -> None:
    webhook = await scene.endpoint("https://hooks.example.com/x")
    chat = await scene.post(PLACE, kind="slack", settings={"url": "https://hooks.slack.com/services/T/B/x"})
    for endpoint in (webhook, chat):
        reply = await scene.tenant.api.put(f"{PLACE}/{endpoint['id']}/pull", json={})
        assert (reply.status_code, reply.json()["code"]) == (422, "pull_unusable")


async def test_every_refused_row_of_many_pages_is_found_there_for_a_month(scene: Scene) -> None:
    some = crowd(250)
    for at_place in (7, 120, 249):
        some[at_place].fields["email"] = "nonsense"
    some[3].fields["hs_email_optout"] = "true"
    async with a_hubspot(*some) as hubspot:
        endpoint = await connected(scene, hubspot)
        await pull(scene, endpoint)
        scene.work()
        done = await pulled(scene, endpoint)
    place = f"/v1/imports/{done['last_import_id']}/errors"
    assert [row["record"] for row in (await scene.get(place))["data"]] == ["1007", "1120", "1249"]
    await scene.database.execute("UPDATE pulled_pages SET created_at = created_at - interval '31 days'")
    await forget_remote_records(scene.engine, scene.settings())
    assert [row["record"] for row in (await scene.get(place))["data"]] == [None] * 3


async def test_opt_outs_travel_both_ways_and_not_in_circles(scene: Scene) -> None:
    some = crowd(2)
    some[1].fields["hs_email_optout"] = "true"
    async with a_hubspot(*some) as hubspot:
        settings = {"base_url": hubspot.url, "token": "secret"}
        endpoint = await scene.post(
            PLACE, kind="hubspot", settings=settings, delay_seconds=0, event_types=["recipient.unsubscribed"]
        )
        await pull(scene, endpoint)
        scene.work()
        await pulled(scene, endpoint)
        found = await scene.get("/v1/recipients", email="p0@example.com")
        await scene.post(f"/v1/recipients/{found['data'][0]['id']}/unsubscribe")
        told, *_ = await scene.settled(endpoint, 2)
        refusals = [asked.path for asked in hubspot.asked if "/statuses/" in asked.path]
    assert told["state"] == "delivered"
    assert refusals == ["/communication-preferences/2026-03/statuses/p0%40example.com/unsubscribe-all"]


async def test_services_that_know_no_refusal_are_not_told_of_one(scene: Scene) -> None:
    told = {"kind": "slack", "settings": {"url": "https://hooks.slack.com/services/T/B/x"}}
    reply = await scene.tenant.api.post(PLACE, json=told | {"event_types": ["recipient.unsubscribed"]})
    assert (reply.status_code, reply.json()["code"]) == (422, "webhook_endpoint_is_connector")
