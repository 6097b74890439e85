"""The mechanics of sharing commits, with a real lane's errors played by real exceptions of the driver."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from app.db import group_commit
from app.db.group_commit import GroupCommit
from app.domain.errors import Overloaded

FULL_BATCH = [str(number) for number in range(group_commit.BATCH_LIMIT)]


class Store:
    """Counts what it stores; says of each item what the test told it to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.failures: list[Exception] = []
        self.poison: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, items: Sequence[str]) -> list[str | Exception]:
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.poison & set(items):
            raise asyncpg.exceptions.CharacterNotInRepertoireError("poison")
        self.batches.append(list(items))
        return [f"stored {item}" for item in items]


async def started(store: Store, blocked: Store | None = None, queue_limit: int = 1_000) -> GroupCommit[str, str]:
    commits = GroupCommit[str, str](store.write, (blocked or store).write, queue_limit=queue_limit)
    commits.start()
    return commits


async def test_whoever_arrives_during_a_commit_makes_up_the_next_batch() -> None:
    store = Store()
    commits = await started(store)
    store.gate.clear()
    callers = [asyncio.create_task(commits.submit("alice", str(number))) for number in range(50)]
    await asyncio.sleep(0)
    store.gate.set()
    assert await asyncio.gather(*callers) == [f"stored {number}" for number in range(50)]
    assert len(store.batches) <= 2
    await commits.close()


async def test_a_bad_item_fails_alone() -> None:
    store = Store()
    store.poison = {"7"}
    commits = await started(store)
    outcomes = await commits.submit_all("alice", [str(number) for number in range(100)])
    assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Exception)] == [7]
    assert sorted((item for batch in store.batches for item in batch), key=int) == [
        str(number) for number in range(100) if number != 7
    ]
    await commits.close()


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.exceptions.DeadlockDetectedError("x"),
        asyncpg.exceptions.SerializationError("x"),
        asyncpg.exceptions.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.exceptions.AdminShutdownError("terminating connection"),
        ConnectionRefusedError(),
        asyncpg.InterfaceError("connection is closed"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_passes_by_itself_is_tried_again(error: Exception) -> None:
    store = Store()
    store.failures = [error]
    commits = await started(store)
    assert await commits.submit("alice", "a") == "stored a"
    await commits.close()


async def test_an_outage_that_lasts_is_told_as_overload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "GIVE_UP_SECONDS", 0.2)
    store = Store()
    store.failures = [ConnectionRefusedError() for _ in range(1_000)]
    commits = await started(store)
    with pytest.raises(Overloaded):
        await commits.submit("alice", "a")
    await commits.close()


async def test_a_tenant_that_is_blocked_does_not_hold_up_the_others() -> None:
    store, slow = Store(), Store()
    slow.gate.clear()
    store.failures = [asyncpg.exceptions.LockNotAvailableError("lock timeout")]
    commits = await started(store, slow)
    blocked = asyncio.create_task(commits.submit("alice", "a"))
    while store.failures:  # noqa: ASYNC110 - one turn of the loop at a time, until the lane has failed
        await asyncio.sleep(0)
    assert await commits.submit("bob", "b") == "stored b"
    assert not blocked.done()
    slow.gate.set()
    assert await blocked == "stored a"
    await commits.close()


async def test_what_a_blocked_tenant_has_waiting_is_committed_a_batch_at_a_time() -> None:
    store, slow = Store(), Store()
    slow.gate.clear()
    store.failures = [asyncpg.exceptions.LockNotAvailableError("lock timeout")]
    commits = await started(store, slow, queue_limit=10_000)
    callers = [asyncio.create_task(commits.submit_all("alice", FULL_BATCH)) for _ in range(3)]
    await asyncio.sleep(0)  # they arrive
    while store.failures or commits._waiting:  # noqa: ASYNC110 - until all of them are held back
        await asyncio.sleep(0)
    slow.gate.set()
    assert await asyncio.gather(*callers) == [[f"stored {item}" for item in FULL_BATCH]] * 3
    assert slow.batches == [FULL_BATCH] * 3
    await commits.close()


async def test_a_mistake_of_ours_reaches_only_the_callers() -> None:
    store = Store()
    store.failures = [RuntimeError("a bug")]
    commits = await started(store)
    with pytest.raises(RuntimeError):
        await commits.submit("alice", "a")
    assert await commits.submit("alice", "b") == "stored b"
    await commits.close()


async def test_one_tenant_may_fill_only_its_share_of_the_queue() -> None:
    store = Store()
    commits = await started(store, queue_limit=100)
    store.gate.clear()
    first = asyncio.create_task(commits.submit("alice", "first"))
    await asyncio.sleep(0)
    flood = [asyncio.create_task(commits.submit("alice", str(number))) for number in range(40)]
    await asyncio.sleep(0)
    refused = [task for task in flood if task.done()]
    assert all(isinstance(task.exception(), Overloaded) for task in refused)
    assert len(flood) - len(refused) <= 100 // group_commit.TENANT_SHARE
    bob = asyncio.create_task(commits.submit("bob", "b"))
    store.gate.set()
    assert await bob == "stored b"
    assert await first == "stored first"
    await asyncio.gather(*(task for task in flood if task not in refused))
    await commits.close()


async def test_closing_stores_what_waits_and_takes_no_more() -> None:
    store = Store()
    commits = await started(store)
    store.gate.clear()
    waiting = [asyncio.create_task(commits.submit("alice", str(number))) for number in range(10)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(commits.close())
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await commits.submit("alice", "late")
    store.gate.set()
    await closing
    assert len(await asyncio.gather(*waiting)) == 10
