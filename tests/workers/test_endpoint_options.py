"""What an endpoint was told, as its receiver sees it."""

import hashlib
import hmac
from base64 import b64encode

import httpx
from standardwebhooks.webhooks import Webhook

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
