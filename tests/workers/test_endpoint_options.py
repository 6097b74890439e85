"""What an endpoint was told, as its receiver sees it."""

import hashlib
import hmac
from base64 import b64decode, b64encode

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook

from app.domain.webhooks.webhook_secret import read_secret
from app.outbound.webhook import headers_for
from app.workers.chores import reseal_stored_secrets
from tests.builders import a_campaign
from tests.conftest import SECRET_KEYS
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, arrived

OK = answering(answer("200 OK"))


async def test_a_comment_that_is_typed_later_brings_the_update(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(OK) as here:
        endpoint = await scene.endpoint(here, has_comment=True)
        first, second = [await scene.answer(campaign, score=3) for _ in range(2)]
        for response, changes in ((first, {"score": 4}), (second, {"comment": "Slow"})):
            reply: httpx.Response = await scene.tenant.api.patch(f"/v1/responses/{response['id']}", json=changes)
            assert reply.status_code == 200, reply.text
        scene.work()
        await scene.settled(endpoint)
        (told,) = await arrived(here)
    assert told.json["type"] == "response.updated"
    assert (told.json["data"]["response"]["id"], told.json["data"]["response"]["comment"]) == (second["id"], "Slow")


async def test_headers_of_its_own_and_delighteds_signature_arrive(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    key = "delighted-0123456789"
    async with receiver(OK) as here:
        endpoint = await scene.endpoint(here, headers={"Authorization": "Bearer 1", "X-Team": "cx"}, delighted_key=key)
        scene.work()
        await scene.answer(campaign, score=3, comment="Grüße")
        first = (await arrived(here))[0]
        changes = {"headers": {"authorization": "Bearer 2", "x-team": None}, "delighted_key": None}
        reply = await scene.tenant.api.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json=changes)
        assert reply.status_code == 200, reply.text
        await scene.answer(campaign, score=9)
        second = (await arrived(here, 2))[1]
    assert (first.headers["authorization"], first.headers["x-team"]) == ("Bearer 1", "cx")
    expected = hmac.new(key.encode(), first.body, hashlib.sha256).hexdigest()
    assert first.headers["x-delighted-webhook-signature"] == f"sha256={expected}"
    assert Webhook(endpoint["secret"]).verify(first.body, first.headers) == first.json
    assert second.headers["authorization"] == "Bearer 2"
    assert not {"x-team", "x-delighted-webhook-signature"} & set(second.headers)


async def test_headers_survive_a_change_of_our_key(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(OK) as here:
        await scene.endpoint(here, headers={"x-team": "cx"})
        newer = b64encode(b"n" * 32).decode()
        await reseal_stored_secrets(scene.engine, scene.settings(secret_keys=f"{newer},{SECRET_KEYS}"))
        scene.work(secret_keys=newer)
        await scene.answer(campaign)
        (told,) = await arrived(here)
    assert told.headers["x-team"] == "cx"


async def test_a_thin_payload_names_things_and_nobody(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = {"external_id": "4711", "email": "ada@example.com", "name": "Ada", "properties": {"plan": "pro"}}
    async with receiver(OK) as here:
        endpoint = await scene.endpoint(here, payload="thin", event_types=["response.created"])
        scene.work()
        response = await scene.answer(campaign, comment="By Ada", occasion="Ada's order", recipient=person)
        (told,) = await arrived(here)
    assert Webhook(endpoint["secret"]).verify(told.body, told.headers) == told.json
    assert told.json["data"] == {
        "response": {
            "id": response["id"],
            "campaign_id": campaign,
            "recipient_id": response["recipient_id"],
            "revision": 1,
        },
        "campaign": {"id": campaign},
        "recipient": {"id": response["recipient_id"]},
    }
    assert not [word for word in (b"4711", b"Ada", b"example.com", b"pro") if word in told.body]


async def test_a_template_is_sent_signed_in_place_of_the_payload(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    source = "score={{ data.response.score }}&comment={{ data.response.comment | urlencode }}"
    template = {"source": source, "content_type": "application/x-www-form-urlencoded"}
    async with receiver(answering(answer("500 Busy"), answer("200 OK"))) as here:
        endpoint = await scene.endpoint(here, template=template)
        scene.work()
        await scene.answer(campaign, score=3, comment="Grüße & mehr")
        await scene.waiting_for_retry(endpoint)
        await scene.make_due()
        first, second = await arrived(here, 2)
    assert first.body == second.body == b"score=3&comment=Gr%C3%BC%C3%9Fe%20%26%20mehr"
    assert second.headers["content-type"] == "application/x-www-form-urlencoded"
    expected = headers_for(
        second.id,
        timestamp=int(second.headers["webhook-timestamp"]),
        body=second.body,
        secrets=[read_secret(endpoint["secret"])],
    )
    assert second.headers["webhook-signature"] == expected["webhook-signature"]


async def test_a_template_that_fails_is_told_and_not_tried_again(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    source = "{% if data.response.score < 3 %}\n{{ data.response.comment + 1 }}{% endif %}"
    async with receiver(OK) as here:
        endpoint = await scene.endpoint(here, template={"source": source, "content_type": "text/plain"})
        scene.work()
        await scene.answer(campaign, score=1, comment="Slow")
        (delivery,) = await scene.settled(endpoint)
        await scene.answer(campaign, score=9)
        await arrived(here)
    assert (delivery["state"], delivery["last_failure"]) == ("exhausted", "template_failed")
    assert "template" in delivery["last_failure_hint"]
    assert len(here.requests) == 1
    (made,) = delivery["attempts"]
    assert made["reply_head"] == "Line 2: This cannot be worked out for this event (TypeError)."
    assert made["status"] is None


async def test_a_template_that_an_older_version_took_is_no_trouble_of_ours(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(OK) as here:
        endpoint = await scene.endpoint(here, template={"source": "{}"})
        await scene.database.execute("UPDATE webhook_endpoints SET template = '{{ range(9) }}'")
        scene.work()
        await scene.answer(campaign)
        (delivery,) = await scene.settled(endpoint)
    assert (delivery["state"], delivery["last_failure"], here.requests) == ("exhausted", "template_failed", [])


async def test_the_public_key_that_can_be_read_checks_what_arrives(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(OK) as here:
        endpoint = await scene.endpoint(here, signing="ed25519")
        scene.work()
        await scene.answer(campaign)
        (told,) = await arrived(here)
    (secret,) = (await scene.get(f"/v1/webhook-endpoints/{endpoint['id']}"))["secrets"]
    key = Ed25519PublicKey.from_public_bytes(b64decode(secret["public_key"].removeprefix("whpk_")))
    tag, _, signature = told.headers["webhook-signature"].partition(",")
    assert tag == "v1a"
    key.verify(b64decode(signature), f"{told.id}.{told.headers['webhook-timestamp']}.".encode() + told.body)
