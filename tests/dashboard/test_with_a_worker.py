"""From a button to somebody else's server and back to the page."""

from tests.dashboard.reader import Reader, a_reader
from tests.outbound.receivers import answer, answering, receiver
from tests.served import served
from tests.workers.conftest import scene
from tests.workers.scene import Scene

__all__ = ["scene"]


async def the_newest(lena: Reader, endpoint: dict[str, str]) -> str:
    """Where the page of its newest delivery is."""
    return (await lena.read(f"/dashboard/webhooks/{endpoint['id']}")).links["endpoint.test"]


async def test_a_test_event_fails_is_tried_again_and_arrives(scene: Scene) -> None:
    broken = answer("500 Oops", body=b"<h1>database on fire</h1>")
    async with receiver(answering(broken, answer("200 OK", body=b"thanks"))) as there, served(scene.app) as site:
        endpoint = await scene.endpoint(there, description="Customer desk")
        async with a_reader(site) as lena:
            await lena.log_in(scene.tenant.secret_key)
            scene.work()
            place = f"/dashboard/webhooks/{endpoint['id']}"
            await lena.press((await lena.read(place)).button("Send a test event"))
            await scene.waiting_for_retry(endpoint)
            failed = await lena.read(await the_newest(lena, endpoint))
            assert "Waiting" in failed.text
            assert "500 Not accepted attempt 1" in failed.text
            assert "<h1>database on fire</h1>" in failed.text
            assert '"type": "endpoint.test"' in failed.text
            await lena.press(failed.button("Try again now"))
            await scene.settled(endpoint)
            arrived = await lena.read(await the_newest(lena, endpoint))
    assert "Delivered" in arrived.text
    assert "200 Delivered attempt 2" in arrived.text
    assert "thanks" in arrived.text
    assert {request.split(b"webhook-id: ")[1][:36] for request in there.requests} == {
        arrived.text.split("webhook-id: ")[1][:36].encode()
    }
