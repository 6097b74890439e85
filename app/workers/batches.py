"""A long chore as many short transactions."""

from collections.abc import Awaitable, Callable

from app.db.again import in_transaction
from app.db.engine import Engine, Tx

MOST_BATCHES = 1_000  # in one go; the next ring goes on


async def in_batches(engine: Engine, batch: Callable[[Tx], Awaitable[int]]) -> None:
    """`batch` says how many rows it dealt with; none ends it."""
    for _ in range(MOST_BATCHES):
        if not await in_transaction(engine, batch):
            return
