"""The log says what was sent, also after the endpoint has been changed."""

from datetime import UTC, datetime
from typing import Any

from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from tests.builders import a_campaign
from tests.conftest import client
from tests.outbound.receivers import Receiver, answer, answering, receiver
from tests.workers.scene import Scene

OK, BROKEN = answer("200 OK"), answer("500 Oops")
SECRET = "do-not-tell"


async def a_retried_delivery(scene: Scene, here: Receiver) -> dict[str, Any]:
    """Sent to one path in vain, then to another."""
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    headers = {"authorization": f"Bearer {SECRET}"}
    endpoint = await scene.endpoint(f"{here.url}?token={SECRET}", headers=headers, event_types=["response.created"])
    scene.work()
    await scene.answer(campaign, score=3, comment="Two weeks late.")
    await scene.waiting_for_retry(endpoint)
    elsewhere = {"url": f"{here.url}/elsewhere?token={SECRET}"}
    assert (await scene.tenant.api.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json=elsewhere)).is_success
    await scene.make_due()
    (delivery,) = await scene.settled(endpoint)
    return delivery


async def test_each_attempt_keeps_where_it_went_and_a_failed_one_what_it_carried(scene: Scene) -> None:
    async with receiver(answering(BROKEN, OK)) as here:
        delivery = await a_retried_delivery(scene, here)
        failed, delivered = (one["request_head"] for one in delivery["attempts"])
        lines = failed.split("\n")
        assert (lines[0], delivered) == (f"POST {here.url}", f"POST {here.url}/elsewhere")
        assert {f"webhook-id: {delivery['event_id']}", "webhook-signature: …", "authorization: …"} <= set(lines)
        assert lines[-1].encode() == here.requests[0].partition(b"\r\n\r\n")[2]
    assert "Two weeks late." in lines[-1]
    assert await scene.database.fetchval(
        "SELECT count(*) FROM delivery_attempts WHERE request_head LIKE $1", f"%{SECRET}%"
    ) == 0  # fmt: skip


async def test_a_key_that_may_not_read_events_does_not_see_what_was_sent(scene: Scene) -> None:
    async with receiver(answering(BROKEN, OK)) as here:
        delivery = await a_retried_delivery(scene, here)
    async with scene.engine.write() as tx:
        key = await issue_key(
            tx, scene.tenant.workspace_id, mode="live", kind=KeyKind.SECRET, name="ops", scopes=("webhooks:read",),
            now=datetime.now(UTC),
        )  # fmt: skip
    async with client(scene.app, key.token) as ops:
        seen = (await ops.get(f"/v1/deliveries/{delivery['id']}")).json()
    assert [one["request_head"] for one in seen["attempts"]] == [None, None]
    assert [one["status"] for one in seen["attempts"]] == [500, 200]
