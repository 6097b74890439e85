"""What a worker process works with, for as long as it lives."""

from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from app.config import Settings
from app.db.engine import Engine
from app.outbound.http import GuardedClient
from app.workers.accesses import Accesses
from app.workers.run_connector import Means
from app.workers.signing_keys import SigningKeys


@dataclass(frozen=True, slots=True)
class Worker:
    settings: Settings
    engine: Engine
    client: GuardedClient
    keys: SigningKeys
    accesses: Accesses = field(default_factory=Accesses)

    def means(self, *, now: datetime) -> Means:
        """What a connector works with for one attempt, which begins now."""
        ends_at = monotonic() + self.settings.attempt_deadline_seconds
        return Means(self.engine, self.client, self.keys.vault, self.accesses, now, ends_at)
