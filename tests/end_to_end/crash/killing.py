"""Whom to kill, how, and when."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from tests.end_to_end.crash.programs import Program, parent_of
from tests.end_to_end.crash.stage import Stage

# Of PostgreSQL: its first process; one of its others, whose death ends them all; all at once; now and then who owns it.
VICTIMS: Mapping[str, float] = {"worker": 3, "api": 3, "postgres": 1.5, "backend": 1, "cluster": 1, "owner": 0.3}
PAUSE_BETWEEN_SECONDS = (0.2, 3.8)  # uniformly
ENDS_SECONDS = 3.0  # in which a server notices the death of one of its processes


@dataclass(slots=True)
class Killer:
    stage: Stage
    chance: Random
    kills: Counter[str] = field(default_factory=Counter)

    async def kill(self, count: int, *, until: float) -> None:
        """`until` is on the monotonic clock."""
        while self.kills.total() < count and monotonic() < until:
            await asyncio.sleep(self.chance.uniform(*PAUSE_BETWEEN_SECONDS))
            await self._kill_one()

    async def _kill_one(self) -> None:
        """Of what is up: what is dead already would not count."""
        standing = [victim for victim in VICTIMS if self._program(victim).is_up.is_set()]
        if not standing:
            return
        victim = self.chance.choices(standing, [VICTIMS[name] for name in standing])[0]
        postgres = self.stage.postgres
        match victim:
            case "owner":
                postgres.kill_supervisor()
            case "backend":
                server = postgres.pid
                postgres.kill_child(self.chance.choice(postgres.children()))
                if not await _ends(server):  # the child was about to leave anyhow
                    postgres.is_up.set()
                    return
            case _:
                self._program(victim).kill(with_children=victim == "cluster")
        self.kills[victim] += 1

    def _program(self, victim: str) -> Program:
        return {"worker": self.stage.worker, "api": self.stage.api}.get(victim, self.stage.postgres)


async def _ends(pid: int) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDS_SECONDS):
            while parent_of(pid) is not None:  # noqa: ASYNC110 - another process, which tells us nothing
                await asyncio.sleep(0.01)
    return parent_of(pid) is None
