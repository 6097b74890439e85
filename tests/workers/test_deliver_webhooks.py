"""From an answer to a receiver, through a real worker."""

import asyncio
import json
from datetime import datetime, timedelta

from standardwebhooks.webhooks import Webhook

from app.domain.webhooks.backoff import DELAYS
from tests.builders import a_campaign
from tests.outbound.receivers import Receiver, Script, answer, answering, read_request, receiver
from tests.workers.scene import Scene, arrived, until, uuid_text

OK, BROKEN = answer("200 OK"), answer("500 Internal Server Error", body=b"database is on fire")


async def test_an_answer_arrives_signed_and_is_what_the_feed_says(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign, score=3, comment="Slow.")
        webhook = (await arrived(here))[0]
        assert Webhook(endpoint["secret"]).verify(webhook.body, webhook.headers) == webhook.json
        assert webhook.json["type"] == "response.created"
        assert webhook.json["livemode"] is True
        assert webhook.json["data"]["response"]["score"] == 3
        assert webhook.id == webhook.json["id"]
        assert webhook.headers["content-type"] == "application/json"
        assert await scene.get(f"/v1/events/{webhook.id}") == webhook.json
        (delivery,) = await scene.settled(endpoint)
    assert (delivery["state"], delivery["attempt_count"], delivery["event_id"]) == ("delivered", 1, webhook.id)
    assert [(made["number"], made["status"], made["failure"]) for made in delivery["attempts"]] == [(1, 200, None)]


async def test_a_failed_attempt_is_made_again_with_the_same_id_and_bytes(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(BROKEN, OK)) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        waiting = await scene.waiting_for_retry(endpoint)
        await scene.make_due()
        (delivered,) = await scene.settled(endpoint)
        first, second = await arrived(here, 2)
    assert (waiting["last_status"], waiting["last_failure"]) == (500, "bad_status")
    assert waiting["attempts"][0]["reply_head"] == "database is on fire"
    assert (first.id, first.body) == (second.id, second.body)
    assert (delivered["state"], [made["status"] for made in delivered["attempts"]]) == ("delivered", [500, 200])
    assert (delivered["last_status"], delivered["last_failure"]) == (200, None)


async def test_retries_follow_the_timetable(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(BROKEN)) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        for attempts in range(1, len(DELAYS)):
            await scene.waiting_for_retry(endpoint, attempts=attempts)
            wait = await scene.database.fetchval("SELECT due_at - now() FROM deliveries")
            started = await scene.database.fetchval("SELECT now() - max(started_at) FROM delivery_attempts")
            assert DELAYS[attempts] * 0.8 <= wait + started
            assert wait <= DELAYS[attempts] * 1.2
            await scene.make_due()
        (exhausted,) = await scene.settled(endpoint)
        assert len(await arrived(here, len(DELAYS))) == len(DELAYS)
    assert (exhausted["state"], exhausted["attempt_count"], exhausted["next_attempt_at"]) == (
        "exhausted",
        len(DELAYS),
        None,
    )
    assert [made["number"] for made in exhausted["attempts"]] == list(range(1, len(DELAYS) + 1))


async def test_retry_after_is_honoured(scene: Scene, now: datetime) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(answer("503 Service Unavailable", "retry-after: 7200"))) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        waiting = await scene.waiting_for_retry(endpoint)
    assert datetime.fromisoformat(waiting["next_attempt_at"]) >= now + timedelta(hours=2)


async def test_a_redirect_is_a_failure_and_is_not_followed(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as elsewhere, receiver(
        answering(answer("302 Found", f"location: {elsewhere.url}"))
    ) as here:  # fmt: skip
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        waiting = await scene.waiting_for_retry(endpoint)
        assert elsewhere.requests == []
    assert (waiting["last_status"], waiting["last_failure"]) == (302, "redirect")
    assert "update your URL" in waiting["last_failure_hint"]


async def test_gone_disables_the_endpoint_and_tells_the_others(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(answer("410 Gone"))) as gone, receiver(answering(OK)) as other:
        endpoint = await scene.endpoint(gone, event_types=["response.created"], description="CRM")
        await scene.endpoint(other, event_types=["endpoint.disabled"])
        scene.work()
        await scene.answer(campaign)
        (exhausted,) = await scene.settled(endpoint)
        (told,) = await arrived(other)
        await scene.answer(campaign)
        await until(lambda: scene.database.fetchval("SELECT count(*) = 0 FROM event_queue"))
    assert (exhausted["state"], exhausted["last_failure"]) == ("exhausted", "gone")
    assert told.json["data"]["endpoint"]["id"] == endpoint["id"]
    assert told.json["data"]["endpoint"]["disabled_reason"] == "gone"
    disabled = await scene.get(f"/v1/webhook-endpoints/{endpoint['id']}")
    assert (disabled["state"], disabled["disabled_reason"]) == ("disabled", "gone")
    assert len(gone.requests) == 1


async def test_gone_from_where_it_used_to_be_disables_nothing(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    is_changed = asyncio.Event()

    def gone_later(here: Receiver) -> Script:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(here, reader)
            await is_changed.wait()
            writer.write(answer("410 Gone"))
            await writer.drain()

        return converse

    async with receiver(gone_later) as old, receiver(answering(OK)) as new:
        endpoint = await scene.endpoint(old, event_types=["response.created"])
        scene.work(attempt_deadline_seconds=5.0, lease_seconds=12.0, least_lease_seconds=6.0)
        await scene.answer(campaign)
        await old.asked.wait()
        place = f"/v1/webhook-endpoints/{endpoint['id']}"
        await scene.tenant.api.patch(place, json={"url": new.url})
        is_changed.set()
        (delivered,) = await scene.settled(endpoint)
    assert (await scene.get(place))["state"] == "enabled"
    assert (delivered["state"], [made["failure"] for made in delivered["attempts"]]) == ("delivered", ["gone", None])


async def test_a_delay_lets_the_comment_arrive_with_the_score(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(BROKEN, OK)) as here:
        endpoint = await scene.endpoint(here, event_types=["response.created"], delay_seconds=60)
        scene.work()
        recorded = await scene.answer(campaign, score=9)
        path = f"/v1/responses/{recorded['id']}"
        await scene.tenant.api.patch(path, json={"comment": "Too slow.", "score": 2})
        await scene.make_due()
        await scene.waiting_for_retry(endpoint)
        await scene.tenant.api.patch(path, json={"comment": "Much too slow."})
        await scene.make_due()
        await scene.settled(endpoint)
        first, second = await arrived(here, 2)
    said = first.json["data"]["response"]
    assert (said["comment"], said["score"], said["band"], said["revision"]) == ("Too slow.", 2, "detractor", 2)
    assert first.json["data"]["campaign"]["id"] == campaign
    assert (first.id, first.body) == (second.id, second.body)


async def test_what_was_sent_with_a_delay_stays_even_if_its_sender_died(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(answer("200 OK"))) as here:
        endpoint = await scene.endpoint(here, event_types=["response.created"], delay_seconds=60)
        worker = scene.work()
        recorded = await scene.answer(campaign, score=9)
        await until(lambda: scene.database.fetchval("SELECT count(*) = 1 FROM deliveries"))
        await scene.database.execute("ALTER TABLE delivery_attempts ADD CONSTRAINT broken CHECK (false) NOT VALID")
        await scene.make_due()
        await arrived(here)
        await worker.kill()
        await scene.database.execute("ALTER TABLE delivery_attempts DROP CONSTRAINT broken")
        await scene.tenant.api.patch(f"/v1/responses/{recorded['id']}", json={"comment": "Late."})
        scene.work()
        await scene.settled(endpoint)
        first, second = await arrived(here, 2)
    assert (first.id, first.body) == (second.id, second.body)


async def test_after_a_rotation_both_secrets_sign_until_the_overlap_ends(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        rotated = await scene.post(f"/v1/webhook-endpoints/{endpoint['id']}/secrets/rotate", overlap_seconds=3_600)
        scene.work()
        await scene.answer(campaign)
        during = (await arrived(here))[0]
        await scene.database.execute("UPDATE endpoint_secrets SET expires_at = now() WHERE expires_at IS NOT NULL")
        await scene.answer(campaign)
        after = (await arrived(here, 2))[1]
    for secret in (endpoint["secret"], rotated["secret"]):
        Webhook(secret).verify(during.body, during.headers)
    assert len(during.headers["webhook-signature"].split()) == 2
    Webhook(rotated["secret"]).verify(after.body, after.headers)
    assert len(after.headers["webhook-signature"].split()) == 1


async def test_a_secret_we_cannot_open_is_our_trouble_and_no_attempt(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        sealed = await scene.database.fetchval("SELECT ciphertext FROM endpoint_secrets")
        await scene.database.execute("UPDATE endpoint_secrets SET ciphertext = 'x'")
        scene.work()
        await scene.answer(campaign)
        waiting = await scene.waiting_for_retry(endpoint, attempts=0)
        await until(lambda: scene.database.fetchval("SELECT due_at > now() + interval '30 s' FROM deliveries"))
        await scene.database.execute("UPDATE endpoint_secrets SET ciphertext = $1", sealed)
        await scene.make_due()
        (delivered,) = await scene.settled(endpoint)
    assert waiting["attempts"] == []
    assert (delivered["state"], delivered["attempt_count"]) == ("delivered", 1)


async def test_a_test_send_goes_to_one_endpoint_whatever_its_filter(scene: Scene) -> None:
    async with receiver(answering(OK)) as tested, receiver(answering(OK)) as other:
        endpoint = await scene.endpoint(tested, event_types=["campaign.completed"], delay_seconds=600)
        bystander = await scene.endpoint(other)
        scene.work()
        sent = await scene.post(f"/v1/webhook-endpoints/{endpoint['id']}/test")
        (webhook,) = await arrived(tested)
        (delivery,) = await scene.settled(endpoint)
        assert await scene.deliveries(bystander) == []
    assert (webhook.id, webhook.json["type"]) == (sent["event_id"], "endpoint.test")
    assert delivery["event_id"] == sent["event_id"]
    assert "url" not in json.dumps(webhook.json)


async def test_a_delivered_one_can_be_sent_again(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here)
        scene.work()
        await scene.answer(campaign)
        (delivered,) = await scene.settled(endpoint)
        retried = await scene.post(f"/v1/deliveries/{delivered['id']}/retry")
        first, second = await arrived(here, 2)
        await until(lambda: scene.database.fetchval("SELECT count(*) = 1 FROM delivery_log WHERE attempts = 2"))
        (again,) = await scene.deliveries(endpoint)
    assert retried["state"] == "pending"
    assert (first.id, first.body) == (second.id, second.body)
    assert (again["id"], again["attempt_count"], len(again["attempts"])) == (delivered["id"], 2, 2)


async def test_an_endpoint_gets_the_event_of_a_band_change_once(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(OK)) as here:
        endpoint = await scene.endpoint(here, event_types=["response.detractor", "response.promoter"])
        scene.work()
        recorded = await scene.answer(campaign, score=2)
        await scene.tenant.api.patch(f"/v1/responses/{recorded['id']}", json={"score": 10})
        await scene.settled(endpoint, 2)
        types = sorted(webhook.json["type"] for webhook in await arrived(here, 2))
        assert await scene.database.fetchval("SELECT count(*) FROM delivery_log") == 2
    assert types == ["response.band_changed", "response.created"]
    assert uuid_text(endpoint) == uuid_text(endpoint["id"])


async def test_what_came_back_about_a_deleted_response_is_emptied(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(answer("500 No", body=b"Cannot store Ada"), answer("200 OK", body=b"Ada"))) as here:
        endpoint = await scene.endpoint(here, event_types=["response.created"])
        scene.work()
        answers = [await scene.answer(campaign, comment="Ada") for _ in range(2)]
        await scene.waiting_for_retry(endpoint)
        await scene.settled(endpoint)
        before = {one["id"]: one["attempts"][0]["reply_head"] for one in await scene.deliveries(endpoint)}
        for response in answers:
            await scene.tenant.api.delete(f"/v1/responses/{response['id']}")
        after = {one["id"]: one["attempts"][0]["reply_head"] for one in await scene.deliveries(endpoint)}
    assert sorted(before.values()) == ["Ada", "Cannot store Ada"]
    assert set(after.values()) == {""}
    heads = await scene.database.fetch("SELECT request_head FROM delivery_attempts")
    assert {row["request_head"] for row in heads} == {f"POST {here.url}"}
