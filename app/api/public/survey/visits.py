"""What happened lately on each link, in memory: a GET writes nothing, and one process sees enough of a scanner."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.survey.scanner import Hit

REMEMBERED_LINKS = 20_000
REMEMBERED_HITS = 40  # of one link
WRITTEN_EVERY = timedelta(seconds=2)


@dataclass(slots=True)
class _Visit:
    hits: deque[Hit] = field(default_factory=lambda: deque(maxlen=REMEMBERED_HITS))
    unwritten: int = 0
    written_at: datetime | None = None
    gestured_at: datetime | None = None
    last_act: int = 0
    is_disowned: bool = False


class Visits:
    """By digest of the link's token. The link that was quiet longest is forgotten first."""

    def __init__(self) -> None:
        self._visits: OrderedDict[bytes, _Visit] = OrderedDict()

    def note(self, digest: bytes, hit: Hit) -> list[Hit]:
        """All hits of this link that are remembered, this one last."""
        visit = self._visit(digest)
        visit.hits.append(hit)
        visit.unwritten += 1
        return list(visit.hits)

    def note_gesture(self, digest: bytes, at: datetime) -> None:
        """Somebody is there: what was noted before says nothing of them."""
        visit = self._visit(digest)
        visit.gestured_at = at
        visit.hits.clear()

    def gestured_since(self, digest: bytes, at: datetime) -> bool:
        visit = self._visits.get(digest)
        return visit is not None and visit.gestured_at is not None and visit.gestured_at >= at

    def note_act(self, digest: bytes, number: int) -> None:
        visit = self._visit(digest)
        visit.last_act = max(visit.last_act, number)

    def is_overtaken(self, digest: bytes, number: int) -> bool:
        """What was done later is here already."""
        visit = self._visits.get(digest)
        return visit is not None and number < visit.last_act

    def note_disowned(self, digest: bytes) -> None:
        """Whoever has the link is somebody else."""
        self._visit(digest).is_disowned = True

    def is_disowned(self, digest: bytes) -> bool:
        visit = self._visits.get(digest)
        return visit is not None and visit.is_disowned

    def take_unwritten(self, digest: bytes, now: datetime) -> int:
        """How many hits are to be written down now: not at each, or a scanner decides how much we write."""
        visit = self._visit(digest)
        if visit.written_at is not None and now - visit.written_at < WRITTEN_EVERY:
            return 0
        count, visit.unwritten, visit.written_at = visit.unwritten, 0, now
        return count

    def _visit(self, digest: bytes) -> _Visit:
        visit = self._visits.pop(digest, None) or _Visit()
        self._visits[digest] = visit
        if len(self._visits) > REMEMBERED_LINKS:
            self._visits.popitem(last=False)
        return visit
