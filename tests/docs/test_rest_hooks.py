"""What Zapier and its like do, from switching on to switching off, with a key that may do nothing else."""

import json
from datetime import UTC, datetime
from typing import Any

from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from tests.builders import a_campaign
from tests.conftest import client
from tests.outbound.receivers import answer, answering, receiver
from tests.workers.scene import Scene, arrived

SCOPES = ("workspace:read", "webhooks:write", "events:read")  # as docs/rest-hooks.md says
TRIGGER = "response.detractor"


async def a_key(scene: Scene) -> str:
    async with scene.engine.write() as tx:
        key = await issue_key(
            tx, scene.tenant.workspace_id, mode="live", kind=KeyKind.SECRET, name="zapier", scopes=SCOPES,
            now=datetime.now(UTC),
        )  # fmt: skip
    return key.token


def shape(value: Any) -> Any:
    """The names of fields, all the way down; what people add themselves is theirs."""
    if not isinstance(value, dict):
        return None
    return {name: None if name in {"properties", "answers"} else shape(member) for name, member in value.items()}


async def test_from_switching_on_to_switching_off(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with (
        client(scene.app, await a_key(scene)) as zapier,
        receiver(answering(answer("200 OK"))) as hook,
    ):
        assert (await zapier.get("/v1/workspace")).json()["name"] == "Alice"
        sample = (await zapier.get("/v1/events/sample", params={"type": TRIGGER})).json()["data"]
        subscribed = await zapier.post("/v1/webhook-endpoints", json={"url": hook.url, "event_types": [TRIGGER]})
        assert subscribed.status_code == 201
        worker = scene.work()
        await scene.answer(campaign, score=10)
        await scene.answer(campaign, score=2, comment="Late.", recipient={"external_id": "4711"})
        (arrival,) = await arrived(hook)
        assert shape(arrival.json) == shape(sample[0])
        polled = (await zapier.get("/v1/events/sample", params={"type": TRIGGER})).json()["data"]
        assert polled == [json.loads(arrival.body)]
        place = f"/v1/webhook-endpoints/{subscribed.json()['id']}"
        assert (await zapier.delete(place)).status_code == 204
        await scene.answer(campaign, score=2)
        await worker.stop()
        assert len(hook.requests) == 1


async def test_a_hook_that_is_gone_gets_nothing_more(scene: Scene) -> None:
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    async with receiver(answering(answer("410 Gone"))) as hook:
        endpoint = await scene.endpoint(hook, event_types=[TRIGGER])
        scene.work()
        await scene.answer(campaign, score=2)
        await scene.settled(endpoint)
        assert (await scene.get(f"/v1/webhook-endpoints/{endpoint['id']}"))["state"] == "disabled"
