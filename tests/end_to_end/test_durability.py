"""What was acknowledged is there although the whole of PostgreSQL is killed the moment the acknowledgement arrives.

Nothing else commits meanwhile: another commit would write down an unfinished one before it.
"""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.crash.clients import World
from tests.end_to_end.crash.insisting import Caller
from tests.end_to_end.crash.ledger import Ledger
from tests.end_to_end.crash.run import make_world
from tests.end_to_end.crash.stage import Stage

pytestmark = pytest.mark.slow


class Patient:
    """Somebody whose database dies with every reply."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession, world: World) -> None:
        self.stage, self.world = stage, world
        self.caller = Caller(session, Ledger())

    async def do(self, method: str, path: str, body: Any = None) -> Any:
        """The reply of the first try, which PostgreSQL does not outlive; it is back when this returns."""
        reply = await self.caller.insist(method, path, body)
        self.stage.postgres.kill(with_children=True)
        assert reply.is_certain, reply
        await self.stage.postgres.until_up()
        return reply

    async def read(self, response_id: str) -> Any:
        return await self.caller.insist("GET", f"/v1/responses/{response_id}")

    async def record(self) -> str:
        reply = await self.caller.insist("POST", "/v1/responses", self.answer())
        return str(reply.body["id"])

    def answer(self) -> dict[str, Any]:
        return {"campaign_id": self.world.campaign_id, "score": 3}


@pytest.fixture
async def patient(stage: Stage) -> AsyncIterator[Patient]:
    async with stage.session() as session:
        world = await make_world(stage, session, people=1)
        with stage.worker.paused():
            yield Patient(stage, session, world)


async def test_a_recorded_answer_outlives_its_database(patient: Patient) -> None:
    recorded = await patient.do("POST", "/v1/responses", patient.answer())
    assert recorded.status == 201
    assert (await patient.read(recorded.body["id"])).status == 200


async def test_a_bulk_outlives_its_database(patient: Patient) -> None:
    recorded = await patient.do("POST", "/v1/responses/bulk", {"responses": [patient.answer()] * 100})
    assert recorded.body["created"] == 100
    assert (await patient.read(recorded.body["results"][-1]["response"]["id"])).status == 200


@pytest.mark.parametrize(
    ("method", "act", "body", "becomes"),
    [
        ("PATCH", "", {"score": 10}, {"score": 10, "revision": 2}),
        ("POST", "/exclude", {"reason": "a test"}, {"revision": 2}),
    ],
)
async def test_a_change_outlives_its_database(
    patient: Patient, method: str, act: str, body: dict[str, Any], becomes: dict[str, Any]
) -> None:
    response_id = await patient.record()
    changed = await patient.do(method, f"/v1/responses/{response_id}{act}", body)
    assert changed.status == 200
    now = (await patient.read(response_id)).body
    assert now["revision"] == 2
    assert now.items() >= becomes.items()


async def test_a_deletion_outlives_its_database(patient: Patient) -> None:
    response_id = await patient.record()
    assert (await patient.do("DELETE", f"/v1/responses/{response_id}")).status == 204
    assert (await patient.read(response_id)).status == 404
