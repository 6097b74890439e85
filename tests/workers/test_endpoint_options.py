"""What an endpoint was told, as its receiver sees it."""

import httpx

from tests.builders import a_campaign
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
