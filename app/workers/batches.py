"""A long chore as many short transactions."""

from collections.abc import Awaitable, Callable

from app.db.engine import Engine, Tx

MOST_BATCHES = 1_000  # in one go; the next ring goes on


async def in_batches(engine: Engine, batch: Callable[[Tx], Awaitable[int]]) -> None:
    """`batch` says how many rows it dealt with; none ends it."""
    for _ in range(MOST_BATCHES):
        async with engine.write() as tx:
            if not await batch(tx):
                return
