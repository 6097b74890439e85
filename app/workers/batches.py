"""A long chore as many short transactions."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial, wraps
from typing import Protocol

from app.clock import utc_now
from app.config import Settings
from app.db.again import in_transaction
from app.db.engine import Engine, Tx

MOST_BATCHES = 1_000  # in one go; the next ring goes on

Chore = Callable[[Engine, Settings], Awaitable[None]]


class Batch(Protocol):
    def __call__(self, tx: Tx, *, now: datetime) -> Awaitable[int]: ...


def chore_of(*batches: Batch) -> Chore:
    """Each of them until nothing is left to do, and then the next."""

    @wraps(batches[0])  # the log names it like that
    async def chore(engine: Engine, _: Settings) -> None:
        now = utc_now()
        for batch in batches:
            await in_batches(engine, partial(batch, now=now))

    return chore


async def in_batches(engine: Engine, batch: Callable[[Tx], Awaitable[int]]) -> None:
    """`batch` says how many rows it dealt with; none ends it."""
    for _ in range(MOST_BATCHES):
        if not await in_transaction(engine, batch):
            return
