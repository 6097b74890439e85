"""Whom to kill, how, and when."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from tests.end_to_end.crash.programs import Program
from tests.end_to_end.crash.stage import Stage

# Of PostgreSQL: its first process; one of its others, whose death ends them all; all at once; now and then who owns it.
VICTIMS: Mapping[str, float] = {"worker": 3, "api": 3, "postgres": 1.5, "backend": 1, "cluster": 1, "owner": 0.3}
PAUSE_BETWEEN_SECONDS = (0.2, 3.8)  # uniformly


@dataclass(slots=True)
class Killer:
    stage: Stage
    chance: Random
    kills: Counter[str] = field(default_factory=Counter)

    async def kill(self, count: int, *, until: float) -> None:
        """`until` is on the monotonic clock."""
        while self.kills.total() < count and monotonic() < until:
            await asyncio.sleep(self.chance.uniform(*PAUSE_BETWEEN_SECONDS))
            self._kill_one()

    def _kill_one(self) -> None:
        """Of what is up: what is dead already would not count."""
        standing = [victim for victim in VICTIMS if self._program(victim).is_up.is_set()]
        if not standing:
            return
        victim = self.chance.choices(standing, [VICTIMS[name] for name in standing])[0]
        self.kills[victim] += 1
        match victim:
            case "owner":
                self.stage.postgres.kill_supervisor()
            case "backend":
                self.stage.postgres.kill(self.chance.choice(self.stage.postgres.children()))
            case "cluster":
                self.stage.postgres.kill(self.stage.postgres.pid, *self.stage.postgres.children())
            case _:
                self._program(victim).kill()

    def _program(self, victim: str) -> Program:
        return {"worker": self.stage.worker, "api": self.stage.api}.get(victim, self.stage.postgres)
