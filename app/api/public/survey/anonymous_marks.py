"""Who has answered an anonymous campaign: kept in memory until enough have that no mark leads to an answer."""

from random import SystemRandom
from uuid import UUID

ENOUGH = 5  # also the smallest group whose answers are shown
REMEMBERED = 50_000


class AnonymousMarks:
    """What is still waiting when the process ends is forgotten: somebody may be reminded who has answered."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[UUID]] = {}

    def add(self, campaign_id: UUID, invitation_id: UUID) -> list[UUID]:
        """The invitations to be marked now, in no order; none while they are too few."""
        waiting = self._waiting.setdefault(campaign_id, set())
        waiting.add(invitation_id)
        if len(waiting) < ENOUGH:
            if sum(map(len, self._waiting.values())) > REMEMBERED:
                self._waiting.clear()
            return []
        del self._waiting[campaign_id]
        return SystemRandom().sample(sorted(waiting), len(waiting))
