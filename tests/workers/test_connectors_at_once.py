"""What a connector does while something else is under way at the same endpoint."""

from datetime import UTC, datetime

from app.domain.webhook_endpoint import DisabledReason
from app.operations.fan_out import fan_out
from app.operations.webhook_endpoints import disable_gone_endpoint
from tests.outbound.connectors.service import at
from tests.outbound.connectors.test_crm import FakeHubSpot
from tests.workers.scene import Scene
from tests.workers.test_connectors import PLACE, connect
from tests.workers.test_leases import claim


async def test_refused_credentials_disable_nothing_once_there_are_new_ones(scene: Scene) -> None:
    async with at(FakeHubSpot()) as hubspot:
        endpoint = await connect(scene, "hubspot", hubspot, settings={"base_url": hubspot.url, "token": "wrong"})
        await fan_out(scene.database)
        (asked,) = await claim(scene.database, seconds=60)
        place = f"{PLACE}/{endpoint['id']}"
        await scene.tenant.api.patch(place, json={"settings": {"token": "secret"}})
        gone = {"reason": DisabledReason.UNAUTHORIZED, "now": datetime.now(UTC)}
        async with scene.engine.write() as tx:
            assert not await disable_gone_endpoint(tx, asked.endpoint, **gone)
        assert (await scene.get(place))["state"] == "enabled"
        await fan_out(scene.database)
        await scene.database.execute("UPDATE endpoint_work SET due_at = now(), paid_until = NULL")
        (asked,) = await claim(scene.database, seconds=60)
        async with scene.engine.write() as tx:
            assert await disable_gone_endpoint(tx, asked.endpoint, **gone)
        assert (await scene.get(place))["state"] == "disabled"
