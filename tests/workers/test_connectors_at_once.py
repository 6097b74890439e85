"""What a connector does while something else is under way at the same endpoint."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from app.domain.connectors.protocol import Made
from app.domain.ids import parsed
from app.domain.webhooks.webhook_endpoint import DisabledReason
from app.operations.fan_out import fan_out
from app.operations.remote_records import remember
from app.operations.webhook_endpoints import disable_gone_endpoint
from app.queries.stories import is_overtaking
from tests.builders import a_campaign
from tests.outbound.connectors.service import at
from tests.outbound.connectors.test_crm import FakeHubSpot
from tests.workers.scene import Scene
from tests.workers.test_connectors import PLACE, a_person, connect
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


@pytest.mark.parametrize(("origin", "known"), [("https://api.hubapi.com", 0), ("https://elsewhere.example", 1)])
async def test_what_was_made_where_it_no_longer_sends_is_not_remembered(scene: Scene, origin: str, known: int) -> None:
    """By an attempt that was under way when the endpoint moved."""
    endpoint = await scene.post(PLACE, kind="hubspot", settings={"token": "secret"})
    elsewhere = {"base_url": "https://elsewhere.example", "token": "secret"}
    moved = await scene.tenant.api.patch(f"{PLACE}/{endpoint['id']}", json={"settings": elsewhere})
    assert moved.status_code == 200
    place, made = parsed("endpoint", endpoint["id"]), Made("contact", "100", 1)
    assert place is not None
    async with scene.engine.write() as tx:
        now = datetime.now(UTC)
        await remember(tx, scene.tenant.workspace_id, place, uuid4(), made, origin=origin, now=now)
    assert await scene.database.fetchval("SELECT count(*) FROM remote_records") == known


async def test_corrections_of_one_answer_are_not_told_at_the_same_time(scene: Scene) -> None:
    answer, ids = await two_corrections(scene)
    await make_due(scene, ids)
    await claim(scene.database, seconds=60)
    assert await overtaking(scene, answer, ids) == [False, True]  # claimed together: the older goes first
    await make_due(scene, ids[1:])
    await claim(scene.database, seconds=60)
    await make_due(scene, ids[:1])
    await claim(scene.database, seconds=60)
    assert await overtaking(scene, answer, ids) == [True, False]  # the newer was claimed first
    await make_due(scene, ids[:1])
    assert await overtaking(scene, answer, ids[1:], revisions=[3]) == [False]  # nothing else is under way


async def two_corrections(scene: Scene) -> tuple[UUID, list[UUID]]:
    """The answer, and the deliveries that tell of its revisions 2 and 3."""
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    person = await a_person(scene)
    async with at(FakeHubSpot()) as hubspot:
        settings = {"base_url": hubspot.url, "token": "secret"}
        endpoint = await connect(scene, "hubspot", hubspot, settings=settings)
        worker = scene.work()
        answer = await scene.answer(campaign, recipient_id=person, score=3)
        await scene.settled(endpoint, 2)
        await worker.stop()
    await scene.database.execute("UPDATE webhook_endpoints SET rate_limit_per_second = NULL")
    for score in (5, 10):
        await scene.tenant.api.patch(f"/v1/responses/{answer['id']}", json={"score": score})
    await fan_out(scene.database)
    told = """
        SELECT d.id FROM deliveries d JOIN events e ON e.id = d.event_id
        WHERE e.revision IN (2, 3) AND e.response_id IS NOT NULL ORDER BY e.revision
    """
    response_id = parsed("response", answer["id"])
    assert response_id is not None
    return response_id, [row["id"] for row in await scene.database.fetch(told)]


async def make_due(scene: Scene, ids: list[UUID]) -> None:
    await scene.database.execute("UPDATE deliveries SET due_at = now() - interval '1 s' WHERE id = ANY($1)", ids)
    await scene.database.execute("UPDATE endpoint_work SET due_at = now(), paid_until = NULL")


async def overtaking(scene: Scene, answer: UUID, ids: list[UUID], revisions: Sequence[int] = (2, 3)) -> list[bool]:
    async with scene.engine.read() as tx:
        return [
            await is_overtaking(tx, scene.tenant.workspace_id, one, answer, revision=revision)
            for one, revision in zip(ids, revisions, strict=True)
        ]
