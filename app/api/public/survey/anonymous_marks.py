"""Who has answered an anonymous campaign: kept in memory until enough have that no mark leads to an answer."""

from collections.abc import Iterable
from random import SystemRandom
from uuid import UUID

ENOUGH = 5  # also the smallest group whose answers are shown
REMEMBERED = 50_000


class AnonymousMarks:
    """What is still waiting when the process ends is forgotten: somebody may be reminded who has answered.

    Who waits may be marked already: by another process, or because they answered more of it. Whoever marks looks.
    """

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[UUID]] = {}

    def add(self, campaign_id: UUID, invitation_id: UUID) -> list[UUID]:
        """The invitations to be marked now, in no order; none while they are too few. They wait until `settle`."""
        waiting = self._waiting.setdefault(campaign_id, set())
        waiting.add(invitation_id)
        if len(waiting) < ENOUGH:
            if sum(map(len, self._waiting.values())) > REMEMBERED:
                self._waiting.clear()
            return []
        return SystemRandom().sample(sorted(waiting), len(waiting))

    def settle(self, campaign_id: UUID, invitation_ids: Iterable[UUID]) -> None:
        """They are marked."""
        waiting = self._waiting.get(campaign_id, set())
        waiting.difference_update(invitation_ids)
        if not waiting:
            self._waiting.pop(campaign_id, None)
