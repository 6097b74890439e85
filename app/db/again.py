"""Running a transaction again where PostgreSQL gave it up, and nothing of it was kept."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from app.db.engine import Engine, Tx
from app.db.group_commit import BLOCKED_STATE, IMMEDIATE_REPLAYS, REPLAY_STATES, is_outage
from app.db.statements import sqlstate_of

Result = TypeVar("Result")
Act = Callable[[Tx], Awaitable[Result]]

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
RACE_STATES = frozenset({"23503", "23505"})  # what is referred to went, or the same came, after we had looked


def is_given_up(error: Exception) -> bool:
    """A deadlock, or a serialisation failure: the same once more will do."""
    return sqlstate_of(error) in REPLAY_STATES


def may_be_lost_race(error: Exception) -> bool:
    """Whoever looks anew finds what came between; where nothing did, it fails again."""
    return sqlstate_of(error) in RACE_STATES


async def in_transaction(engine: Engine, act: Act[Result]) -> Result:
    """Its transaction is all that `act` leaves behind: it may be run more than once."""
    for _ in range(IMMEDIATE_REPLAYS):
        try:
            return await _once(engine, act)
        except Exception as error:
            if not is_given_up(error):
                raise
    return await _once(engine, act)


async def in_transaction_by_all_means(engine: Engine, act: Act[Result], *, seconds: float) -> Result:
    """Of what cannot be found out again: for so long also where PostgreSQL is away, or others do not let go.

    Whether a commit that broke was kept nobody knows, so `act` must change nothing the second time.
    """
    ends_at, pause = monotonic() + seconds, FIRST_PAUSE_SECONDS
    while True:
        try:
            return await in_transaction(engine, act)
        except Exception as error:
            is_passing = is_outage(error) or is_given_up(error) or sqlstate_of(error) == BLOCKED_STATE
            if not is_passing or monotonic() + pause > ends_at:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def _once(engine: Engine, act: Act[Result]) -> Result:
    async with engine.write() as tx:
        return await act(tx)
