"""The lane that answers take: what a process keeps in order to record many of them in one commit."""

from collections.abc import Sequence
from functools import partial
from typing import Self
from uuid import UUID

from app.db.engine import Engine
from app.db.group_commit import BATCH_LIMIT, GroupCommit
from app.db.lane import Lane
from app.operations.instance_keys import AddressKey
from app.operations.responses.bodies import told_as_recorded
from app.operations.responses.new_response import NewResponse, Recorded
from app.operations.responses.record import record_responses

# Short, so that one tenant's open transaction holds up the others for no longer than this.
LOCK_TIMEOUT, SLOW_LOCK_TIMEOUT = "100ms", "4s"
LONGEST_STATEMENT = {"statement_timeout": "10s"}
# One plan for the life of the connection: planning this statement takes longer than running it. Index probes only,
# because a plan made while the tables were small must not scan them when they have grown. What the statement found is
# joined by hashing: comparing each answer with each is quadratic, and the probes stay loops, having no other way.
PLAN_SETTINGS = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_nestloop": "off"}


class Recorder:
    def __init__(self, engine: Engine, *, address_key: AddressKey, queue_limit: int) -> None:
        self._engine, self._address_key = engine, address_key
        self._lane = Lane(engine, lock_timeout=LOCK_TIMEOUT, **LONGEST_STATEMENT, **PLAN_SETTINGS)
        self._slow_lane = Lane(engine, lock_timeout=SLOW_LOCK_TIMEOUT, **LONGEST_STATEMENT, **PLAN_SETTINGS)
        self._commits = GroupCommit[NewResponse, Recorded](
            partial(self._write, self._lane, LOCK_TIMEOUT),
            partial(self._write, self._slow_lane, SLOW_LOCK_TIMEOUT),
            queue_limit=queue_limit,
        )

    async def __aenter__(self) -> Self:
        self._commits.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stores what waits, then leaves."""
        await self._commits.close()
        for lane in (self._lane, self._slow_lane):
            await lane.close()

    async def submit(self, workspace_id: UUID, response: NewResponse) -> Recorded:
        """Returns once it is committed. Raises a `DomainError` where it was refused, `Overloaded` among them."""
        response.told = told_as_recorded(response)
        return await self._commits.submit(workspace_id, response)

    async def submit_all(self, workspace_id: UUID, responses: Sequence[NewResponse]) -> list[Recorded | Exception]:
        assert len(responses) <= BATCH_LIMIT
        for response in responses:
            response.told = told_as_recorded(response)
        return await self._commits.submit_all(workspace_id, responses)

    async def _write(
        self, lane: Lane, lock_timeout: str, batch: Sequence[NewResponse]
    ) -> Sequence[Recorded | Exception]:
        connection = await lane.connection()
        return await record_responses(
            self._engine, connection, batch, address_key=self._address_key, lock_timeout=lock_timeout
        )
